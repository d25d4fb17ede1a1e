"""`scripts/record`: which scenes, on which node, into which files."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recording.caller import Caller, Place, Trouble
from recording.leaks import find
from recording.play import Player
from recording.scenes import SCENES
from recording.scrub import Scrub
from recording.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recording.scene import Scene

LIVE = Path(__file__).parent.parent.parent / "fixtures" / "live"
KINDS = {
    "sim": "the simulated API, and nothing beneath it",
    "debian-vm": "the simulated API in system mode, over ifupdown2 and the kernel of a Debian VM",
    "pve": "Proxmox VE itself",
}
EPILOG = """The node and the token come from PVENET_ENDPOINT, PVENET_NODE, PVENET_TOKEN_ID, PVENET_TOKEN_SECRET and
PVENET_FINGERPRINT or PVENET_CA_FILE, as `scripts/nested-vm env` prints them. A scene is refused where changes are
pending, where an interface that it makes exists, or where NICs are not spare; it puts the node back at its end. A NIC
that was down may stay up."""


def main(words: Sequence[str] | None = None) -> int:
    """Record; the exit code."""
    options = _parser().parse_args(words)
    if options.list:
        for scene in SCENES.values():
            print(f"{scene.name:12} {len(scene.steps):4} requests, {scene.nics} NICs{_rough(scene)}: {scene.about}")
        return 0
    try:
        _record(options, lambda line: print(line, file=sys.stderr))
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the node is as it was", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/record", description=__doc__, epilog=EPILOG)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="all but the rough ones where none is named")
    parser.add_argument("--list", action="store_true", help="the scenes, and what they need")
    parser.add_argument("--endpoint", metavar="URL", help="instead of PVENET_ENDPOINT")
    parser.add_argument("--node", metavar="NAME", help="instead of PVENET_NODE")
    parser.add_argument("--nics", metavar="NIC,NIC", help="the spare NICs to use; else PVENET_LIVE_NICS")
    parser.add_argument("--kind", choices=KINDS, help="what kind of node it is; known in a VM of scripts/nested-vm")
    parser.add_argument("--out", type=Path, metavar="DIR", help="fixtures/live/KIND where it is left out")
    return parser


def _rough(scene: Scene) -> str:
    return ", rough" if scene.rough else ""


def _record(options: argparse.Namespace, say: Callable[[str], None]) -> None:
    scenes = _chosen(options.scenes)
    kind = options.kind or {"debian": "debian-vm", "pve": "pve"}.get(os.environ.get("PVENET_LIVE_VM", ""))
    if kind is None:
        raise Trouble("say what kind of node it is: --kind debian-vm, pve or sim")
    if kind == "sim" and options.out is None:
        raise Trouble("a recording of the sim proves nothing about PVE: name a folder for it with --out")
    place = Place.of(os.environ, options.endpoint, options.node)
    caller = Caller(place)
    nics = options.nics or os.environ.get("PVENET_LIVE_NICS", "")
    try:
        recorder = Recorder(caller, kind, options.out or LIVE / kind, say)
        for scene in scenes:
            recorder.record(scene, tuple(name for name in nics.split(",") if name))
    finally:
        caller.close()


def _chosen(names: Sequence[str]) -> list[Scene]:
    if unknown := [name for name in names if name not in SCENES]:
        raise Trouble(f"there is no scene {', '.join(unknown)}: {', '.join(SCENES)}")
    return [SCENES[name] for name in names] or [scene for scene in SCENES.values() if not scene.rough]


class Recorder:
    """Writes scenes into a folder, with what they are."""

    def __init__(self, caller: Caller, kind: str, folder: Path, say: Callable[[str], None]) -> None:
        self._caller = caller
        self._kind = kind
        self._folder = folder
        self._say = say
        answer = caller.ask("GET", "/version")
        if answer.status != 200:  # noqa: PLR2004  OK
            raise Trouble(f"{caller.place.url} does not tell its version: {answer.status} {answer.reason}")
        self._version = {name: answer.data.get(name) for name in ("version", "release", "repoid")}
        self._node, self._others = self._nodes()

    def _nodes(self) -> tuple[str, tuple[str, ...]]:
        names = sorted(str(entry["node"]) for entry in self._caller.ask("GET", "/nodes").data or ())
        wanted = self._caller.place.node or (names[0] if len(names) == 1 else None)
        if wanted not in names:
            raise Trouble(f"name the node with --node or PVENET_NODE: {', '.join(names)}")
        return wanted, tuple(name for name in names if name != wanted)

    def record(self, scene: Scene, nics: tuple[str, ...]) -> None:
        """Play a scene, and write it; raises Trouble, and writes nothing, where a secret is left in it."""
        stage = Stage(self._caller, self._node)
        before, roles = stage.admit(scene, nics)
        scrub = self._scrub(scene, roles)
        exchanges = Player(stage, scrub, roles).play(scene, before)
        text = "".join(json.dumps(exchange, ensure_ascii=False) + "\n" for exchange in exchanges)
        self._search(scene, text)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{scene.name}.jsonl").write_text(text, encoding="utf-8")
        self._sign(scene, len(exchanges), roles)
        self._say(f"{scene.name}: {len(exchanges)} requests, {self._folder / scene.name}.jsonl")

    def _scrub(self, scene: Scene, roles: dict[str, str]) -> Scrub:
        sent = [str(value) for step in scene.steps for value in (step.form or {}).values()]
        return Scrub(
            place=self._caller.place,
            node=self._node,
            others=self._others,
            own=frozenset({*roles.values(), *(name.format_map(roles) for name in scene.makes)}),
            addresses_kept=frozenset(address for value in sent for address in _addresses(value)),
        )

    def _search(self, scene: Scene, text: str) -> None:
        place = self._caller.place
        secrets = [place.token_secret, place.fingerprint or place.token_secret]
        if found := [str(leak) for leak in find(text)]:
            raise Trouble(f"scene {scene.name} is not written, it would tell: {', '.join(found)}")
        if place.token_secret not in _THROWN_AWAY and any(secret in text for secret in secrets):
            raise Trouble(f"scene {scene.name} is not written, it would tell the token's secret or the fingerprint")

    def _sign(self, scene: Scene, requests: int, roles: dict[str, str]) -> None:
        """Say in provenance.json what a scene comes from; others keep what they said."""
        path = self._folder / "provenance.json"
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        date = f"{datetime.now(tz=UTC):%Y-%m-%d}"
        entry = {"date": date, **self._version, "requests": requests, "nics": roles}
        scenes = {**known.get("scenes", {}), scene.name: entry}
        told = {"kind": self._kind, "what": KINDS[self._kind], "scenes": dict(sorted(scenes.items()))}
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


_THROWN_AWAY = {"11111111-1111-1111-1111-111111111111"}


def _addresses(value: str) -> list[str]:
    found = []
    for word in re.split(r"[\s/,]", value):
        try:
            found.append(str(ipaddress.ip_address(word)))
        except ValueError:
            continue
    return found
