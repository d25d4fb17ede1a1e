"""The kinds of faults: what each does, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.access.privileges import PRIVILEGES
from pvenet.sim.faults import cluster, foreign, guests, kernel
from pvenet.sim.faults.kind import Kind, meanwhile, seconds
from pvenet.sim.files import SimError
from pvenet.sim.http.frame import encode, from_gateway, respond

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.faults.scene import Scene

REASONS = {
    595: "Connection refused",
    596: "Connection timed out",
    597: "Connection reset by peer",
    598: "Connection timed out",
    599: "Too many redirections",
}
FOREVER = -1.0
LOWEST_STATUS, HIGHEST_STATUS = 200, 599
FAILURE = "something failed"
"""What PVE says that fails on order."""


def _fails(scene: Scene, value: str, *, whole: bool) -> Scene:
    code, _, log = value.partition(":")
    if code and not code.isdecimal():
        raise SimError(f"{code!r} is not an exit code")
    return scene.order(exit_code=int(code or 1), log=tuple(log.split("|")) if log else (), whole=whole)


def _lost(scene: Scene, value: str, *, cut_off: bool) -> Scene:
    return scene.order(silent=seconds(value) if value else FOREVER, cut_off=cut_off)


def _acted(value: str) -> bool:
    if value not in {"", "after"}:
        raise SimError(f"{value!r} does not go with an answer; 'after' means that the node has acted")
    return value == "after"


def _status(code: int) -> Kind:
    def play(scene: Scene, value: str) -> Scene:
        return scene.but(reply=lambda now: respond(now, code, REASONS[code]), acted=_acted(value))

    about = f"a proxy answers {code} {REASONS[code]}; the node has not acted, or has (after)"
    return Kind(about=about, when="request", play=play, value="[after]")


def _gateway(scene: Scene, value: str) -> Scene:
    text, _, after = value.partition(":")
    if not (text.isdecimal() and LOWEST_STATUS <= int(text) <= HIGHEST_STATUS):
        raise SimError(f"{text!r} is not an HTTP status, from {LOWEST_STATUS} to {HIGHEST_STATUS}")
    return scene.but(reply=lambda now: from_gateway(now, int(text)), acted=_acted(after))


def _error(scene: Scene, value: str) -> Scene:
    body = encode({"data": None, "message": f"{FAILURE}\n"})
    return scene.but(reply=lambda now: respond(now, 500, FAILURE, body), acted=_acted(value))


def _lacking(scene: Scene, value: str) -> Scene:
    if value not in PRIVILEGES:
        raise SimError(f"{value!r} is not a privilege of PVE's, like Sys.Audit")
    return scene.but(lacking=scene.lacking | {value})


def _half(scene: Scene, value: str) -> Scene:
    return _fails(scene, value, whole=False)


def _whole(scene: Scene, value: str) -> Scene:
    return _fails(scene, value, whole=True)


ENDING = "[CODE[:LINE|LINE]]"
KINDS: Mapping[str, Kind] = {
    "drop-before": Kind(
        about="the connection ends before the node has acted",
        when="request",
        play=lambda scene, _: scene.but(drop_before=True),
    ),
    "drop-after": Kind(
        about="the connection ends after the node has acted",
        when="request",
        play=lambda scene, _: scene.but(drop_after=True),
    ),
    **{str(code): _status(code) for code in REASONS},
    "gateway": Kind(
        about="something in between answers with this status and a text; the node has not acted, or has (after)",
        when="request",
        play=_gateway,
        value="STATUS[:after]",
    ),
    "error": Kind(
        about="PVE answers 500 in its own form; the node has not acted, or has (after)",
        when="request",
        play=_error,
        value="[after]",
    ),
    "tls-broken": Kind(
        about="what comes back is not TLS; the node has not acted, or has (after)",
        when="request",
        play=lambda scene, value: scene.but(garbled=True, acted=_acted(value)),
        value="[after]",
    ),
    "torn": Kind(
        about="the connection ends in the middle of the answer, after the node has acted",
        when="request",
        play=lambda scene, _: scene.but(torn=True),
    ),
    "trickle": Kind(
        about="the answer comes byte by byte, one a second or one in so many",
        when="request",
        play=lambda scene, value: scene.but(pace=seconds(value or "1")),
        value="[SECONDS]",
    ),
    "odd-answer": Kind(
        about="the node acts, and its answer is 200 with this text in place of its own",
        when="request",
        play=lambda scene, value: scene.but(body=value),
        value="JSON",
    ),
    "delay": Kind(
        about="the answer takes longer",
        when="request",
        play=lambda scene, value: scene.but(delay=seconds(value)),
        value="SECONDS",
    ),
    "restart": Kind(
        about="the node's server restarts: every connection ends, its caches are gone",
        when="request",
        play=lambda scene, _: scene.but(restart=True),
    ),
    "reboot": Kind(
        about="the node is power-cycled: what is staged goes live, and nothing answers for a while",
        when="request",
        play=meanwhile(lambda value: foreign.reboot(seconds(value or "30"))),
        value="[SECONDS]",
        made_up=True,
    ),
    "foreign-edit": Kind(
        about="somebody else stages a bridge just before",
        when="request",
        play=meanwhile(lambda value: foreign.create(value or "vmbr99", type="bridge")),
        value="[BRIDGE]",
    ),
    "foreign-comment": Kind(
        about="somebody else changes the comment of an interface just before",
        when="request",
        play=meanwhile(foreign.comment),
        value="IFACE",
    ),
    "foreign-autostart": Kind(
        about="somebody else flips the autostart of an interface just before",
        when="request",
        play=meanwhile(foreign.autostart),
        value="IFACE",
    ),
    "foreign-set": Kind(
        about="somebody else sets a field of an interface just before, in PVE's spelling",
        when="request",
        play=meanwhile(foreign.assign),
        value="IFACE:FIELD=VALUE",
    ),
    "foreign-delete": Kind(
        about="somebody else deletes an interface just before",
        when="request",
        play=meanwhile(foreign.delete),
        value="IFACE",
    ),
    "foreign-alias": Kind(
        about="somebody else stages an alias just before, a kind that pvenet does not know",
        when="request",
        play=meanwhile(lambda value: foreign.alias(value or "vmbr0:1")),
        value="[NAME]",
    ),
    "foreign-revert": Kind(
        about="somebody else reverts just before", when="request", play=meanwhile(lambda _value: foreign.revert)
    ),
    "foreign-hosts": Kind(
        about="somebody else adds a line to the node's /etc/hosts just before",
        when="request",
        play=meanwhile(lambda _value: foreign.hosts),
    ),
    "foreign-reload": Kind(
        about="somebody else reloads just before",
        when="request",
        play=lambda scene, _: scene.but(foreign_reload=True),
    ),
    "lacks": Kind(
        about="nobody has this privilege any more",
        when="lasting",
        play=_lacking,
        value="PRIVILEGE",
        everywhere=True,
    ),
    "freeze": Kind(
        about="active flags stay as they are until a file changes",
        when="lasting",
        play=lambda scene, _: scene.but(freeze=True),
    ),
    "locked": Kind(
        about="somebody holds the file's lock: the next staging call times out",
        when="staging",
        play=lambda scene, _: scene.order(locked=True),
    ),
    "never-up": Kind(
        about="this link does not come up, whatever the task says",
        when="lasting",
        play=lambda scene, value: scene.order(never_up=scene.orders.never_up | {value}),
        value="LINK",
        made_up=True,
    ),
    "reload-fails": Kind(
        about="the reload ends in an error, half of it applied",
        when="reload",
        play=_half,
        value=ENDING,
        made_up=True,
    ),
    "reload-lies": Kind(
        about="the reload ends in an error, all of it applied",
        when="reload",
        play=_whole,
        value=ENDING,
        made_up=True,
    ),
    "reload-hangs": Kind(
        about="the reload never ends, and holds its lock",
        when="reload",
        play=lambda scene, _: scene.order(hangs=True),
        made_up=True,
    ),
    "task-late": Kind(
        about="the reload's task is missing from the lists for a while",
        when="reload",
        play=lambda scene, value: scene.order(late=seconds(value or "1")),
        value="[SECONDS]",
    ),
    "path-lost": Kind(
        about="the reload cuts the node off from here, not from its peers; without a time until a later reload",
        when="reload",
        play=lambda scene, value: _lost(scene, value, cut_off=False),
        value="[SECONDS]",
        made_up=True,
    ),
    "node-lost": Kind(
        about="the same, and its peers don't reach it either",
        when="reload",
        play=lambda scene, value: _lost(scene, value, cut_off=True),
        value="[SECONDS]",
        made_up=True,
    ),
    **guests.KINDS,
    **cluster.KINDS,
    **kernel.KINDS,
}


def usage() -> list[tuple[str, str]]:
    """Every fault as it is written, and what it does."""
    values = {name: f"={kind.value}".replace("=[", "[=", 1) if kind.value else "" for name, kind in KINDS.items()}
    return [(f"{name}{values[name]}@WHERE", kind.about) for name, kind in KINDS.items()]
