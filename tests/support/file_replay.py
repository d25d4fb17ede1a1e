"""Replays recorded files on the pure functions of the sim: how each is listed, first written, and updated.

What PVE leaves to chance is made comparable here and in `comparable`, and nowhere else: the order of stanzas where the
recording says so, which of several faults is named, and the words of ovs_options.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comparable import sorted_options, with_sorted_options
from paths import FIXTURES

from pvenet.sim import interfaces
from pvenet.sim.interfaces import Host
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


_REFUSED = re.compile(r"refused: (.*\n)")


@dataclass(frozen=True, kw_only=True)
class Write:
    """A request about an interface, and what the real server made of it."""

    method: str
    iface: str
    form: Mapping[str, Any]
    recorded: Mapping[str, Any]
    """Its status, with the new text, or the message and its errors; and what chance decides."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A recorded file."""

    name: str
    host: Host
    text: str
    listing: Sequence[Mapping[str, Any]]
    gets: Mapping[str, Mapping[str, Any]]
    first_write: Sequence[Write]
    """Requests that change nothing; the last one has the answer."""
    updates: Sequence[Write]


def host_of(nics: Iterable[str], *, ovs: bool) -> Host:
    """The machine with these NICs, each NIC or NIC=ALTNAME,ALTNAME."""
    parts = (nic.partition("=") for nic in nics)
    return Host(nics={name: tuple(filter(None, alt.split(","))) for name, _, alt in parts}, up=frozenset(), ovs=ovs)


def files() -> Iterator[File]:
    """The files of fixtures/files.jsonl."""
    with (FIXTURES / "files.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            data = json.loads(line)
            first, updates = data["first_write"], data["updates"]
            yield File(
                name=f"file {data['seed']} ({data['style']}; {', '.join(data['odd'])})",
                host=host_of(data["nics"], ovs=data["ovs"]),
                text=data["interfaces"],
                listing=data["listing"],
                gets=data["gets"],
                first_write=[
                    Write(method=method, iface=iface, form=form or {}, recorded=first)
                    for method, iface, form in first["requests"]
                ],
                updates=[
                    Write(method=each["method"], iface=each["path"], form=each.get("form") or {}, recorded=each)
                    for each in updates
                ],
            )


def listing_divergence(file: File) -> str | None:
    """Where the listing and the single GETs differ."""
    parsed = interfaces.parse(file.text, file.host)
    ours = {str(entry["iface"]): sorted_options(entry) for entry in interfaces.listing(parsed)}
    real = {str(entry["iface"]): dict(entry) for entry in file.listing}
    found = [
        f"{name}: {ours.get(name)}\n  real: {real.get(name)}"
        for name in {**ours, **real}
        if ours.get(name) != real.get(name)
    ]
    for name, recorded in file.gets.items():
        wanted = {"data": None, "errors": None, "message": None} | dict(recorded)
        if (got := _got(parsed, name)) != wanted:
            found.append(f"GET {name}: {got}\n  real: {wanted}")
    return f"{file.name}\n" + "\n".join(found) if found else None


def _got(parsed: interfaces.Parsed, name: str) -> dict[str, Any]:
    try:
        return {"status": 200, "data": sorted_options(interfaces.entry(parsed, name)), "errors": None, "message": None}
    except Refused as refused:
        return {"data": None, **_refusal(refused)}


def _refusal(refused: Refused) -> dict[str, Any]:
    return {"status": refused.status, "message": f"{refused.message}\n", "errors": refused.errors}


def write_divergence(name: str, text: str, write: Write, host: Host) -> str | None:
    """Where the answer to a write of this text differs, or the text that it leaves."""
    real = write.recorded
    try:
        new = _written(text, write, host)
    except Refused as refused:
        ours = _refusal(refused)
        told = real.get("any", [real])
        if any(ours == {"errors": None} | _answer(each) for each in told):
            return None
        return f"{name} {write.method} {write.iface} {write.form}: {ours}\n  real: {[_answer(each) for each in told]}"
    if "new" not in real:
        return f"{name} {write.method} {write.iface} {write.form}: written\n  real: {_answer(real)}"
    mine, theirs = with_sorted_options(new), with_sorted_options(real["new"])
    if mine == theirs or (real.get("chance") == "order" and _parts(mine) == _parts(theirs)):
        return None
    asked = f"{name} {write.method} {write.iface} {write.form}"
    return f"{asked}:\n{_shown(mine)}\n  real {real.get('chance')}:\n{_shown(theirs)}"


def _answer(recorded: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recorded.items() if key in {"status", "message", "errors"}}


def _written(text: str, write: Write, host: Host) -> str:
    parsed = interfaces.parse(text, host)
    match write.method:
        case "POST":
            return interfaces.create(parsed, {"iface": write.iface, **write.form}, host)
        case "PUT":
            return interfaces.update(parsed, write.iface, write.form, host)
        case "DELETE":
            return interfaces.delete(parsed, write.iface, host)
        case _:
            return interfaces.rewrite(parsed, host)


def first_write_divergence(file: File) -> str | None:
    """Where a first write differs that changes nothing."""
    text = file.text
    *before, last = file.first_write
    for write in before:
        text = _written(text, write, file.host)
    return write_divergence(file.name, text, last, file.host)


def update_divergences(file: File) -> Iterator[str | None]:
    """Where each update differs, from the text that the real server had then."""
    text = file.text
    for number, write in enumerate(file.updates):
        yield write_divergence(f"{file.name} update {number}", text, write, file.host)
        text = write.recorded.get("new", text)


def _parts(text: str) -> Counter[str]:
    """The stanzas of a text, and its other lines, in whatever order."""
    parts: Counter[str] = Counter()
    stanza: list[str] = []
    for line in text.split("\n"):
        if line.startswith(("auto ", "iface ")) and not (stanza and stanza[-1].startswith("auto ")):
            parts.update(["\n".join(stanza)])
            stanza = []
        if not line:
            parts.update(["\n".join(stanza)])
            stanza = []
        elif stanza or line.startswith(("auto ", "iface ")):
            stanza.append(line)
        else:
            parts.update([line])
    parts.update(["\n".join(stanza)])
    del parts[""]
    return parts


def _shown(text: str) -> str:
    return text.partition("external files!\n\n")[2] or text


def reports() -> Iterator[File]:
    """The files of fixtures/reports."""
    for folder in sorted(path for path in (FIXTURES / "reports").iterdir() if path.is_dir()):
        nics = (folder / "nics").read_text("utf-8").split()
        listing = json.loads((folder / "listing.pve.json").read_text("utf-8"))
        new = (folder / "first-write.pve").read_text("utf-8")
        answer = {"status": 500, "message": refusal[1]} if (refusal := _REFUSED.fullmatch(new)) else {"new": new}
        yield File(
            name=f"report {folder.name}",
            host=host_of(nics, ovs=True),
            text=(folder / "interfaces").read_bytes().decode("utf-8", "surrogateescape"),
            listing=listing,
            gets={},
            first_write=[Write(method="", iface="", form={}, recorded=answer)],
            updates=(),
        )


__all__ = ["files", "first_write_divergence", "listing_divergence", "reports", "update_divergences"]
