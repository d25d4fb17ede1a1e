"""The configuration of a guest, in PVE's own form, and what the API tells of it. Pure. pve-api#guests-config."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind: TypeAlias = Literal["qemu", "lxc"]
FOLDERS: Mapping[Kind, str] = {"qemu": "qemu-server", "lxc": "lxc"}
"""Where the configurations of each kind are kept, as below /etc/pve/nodes/NODE."""
PENDING = frozenset({"PENDING", "pve:pending"})
"""How the section is headed that holds what is not live yet, of a VM and of a container."""
DELETE, DESCRIPTION = "delete", "description"
SAFE = "".join(chr(code) for code in range(32, 127) if chr(code) not in ":%")
"""What stands in a note as it is."""
NUMBERS: Mapping[Kind, frozenset[str]] = {
    "qemu": frozenset(
        {"acpi", "autostart", "balloon", "cores", "cpuunits", "freeze", "kvm", "localtime", "numa", "onboot"}
        | {"protection", "reboot", "shares", "snaptime", "sockets", "tablet", "template", "vcpus"}
    ),
    "lxc": frozenset(
        {"console", "cores", "cpuunits", "debug", "memory", "onboot", "protection", "snaptime", "swap", "template"}
        | {"tty", "unprivileged"}
    ),
}
"""What is told as a number; a VM's memory is a text (K3-guests-006)."""
_LINE = re.compile(r"([a-z][\w-]*):\s*(.*)", re.IGNORECASE)
_SECTION = re.compile(r"\[(.+)\]\s*")


@dataclass(frozen=True, kw_only=True)
class GuestConfig:
    """What a configuration file holds."""

    kind: Kind
    vmid: int
    text: str
    live: Mapping[str, str]
    """What the guest has, or will have when it starts."""
    pending: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, kind: Kind, vmid: int, text: str) -> GuestConfig:
        """A file; lines that are none of its form are passed over."""
        sections = dict(_sections(text))
        live = sections.pop("")
        pending = next((sections.pop(name) for name in PENDING & sections.keys()), {})
        snapshots = {name: values for name, values in sections.items() if not name.startswith("special:")}
        return cls(kind=kind, vmid=vmid, text=text, live=live, pending=pending, snapshots=snapshots)

    @property
    def digest(self) -> str:
        return hashlib.sha1(self.text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    @property
    def name(self) -> str | None:
        return self.live.get("name" if self.kind == "qemu" else "hostname")

    @property
    def deleted(self) -> Mapping[str, int]:
        """What is to go when the guest starts anew: 2 where that is forced."""
        words = re.split(r"[\s,;]+", self.pending.get(DELETE, ""))
        return {word.lstrip("!"): 2 if word.startswith("!") else 1 for word in words if word}

    def told(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Values with PVE's types, and the digest of the whole file."""
        return {key: self._told(key, value) for key, value in values.items()} | {"digest": self.digest}

    def wanted(self) -> dict[str, str]:
        """What the guest will have when it starts anew: what is pending worked in. pve-api#guests-pending."""
        kept = {key: value for key, value in self.live.items() if key not in self.deleted}
        return kept | {key: value for key, value in self.pending.items() if key != DELETE}

    def started(self) -> GuestConfig:
        """The same when the guest has started anew: what was pending is live."""
        if not self.pending:
            return self
        return GuestConfig.parse(self.kind, self.vmid, written(self.wanted(), self.snapshots))

    def told_pending(self) -> list[dict[str, Any]]:
        """Every value, and beside it what is pending (K3-guests-010)."""
        entries: dict[str, dict[str, Any]] = {
            key: {"key": key, "value": value} for key, value in self.told(self.live).items()
        }
        for key, value in self.pending.items():
            if key != DELETE:
                entries.setdefault(key, {"key": key})["pending"] = self._told(key, value)
        for key, how in self.deleted.items():
            if key in entries:
                entries[key]["delete"] = how
        return list(entries.values())

    def number(self, key: str, default: int) -> int:
        """A number of its live part."""
        text = self.live.get(key, "")
        return int(text) if text.isascii() and text.isdecimal() else default

    def _told(self, key: str, value: str) -> Any:
        number = key in NUMBERS[self.kind] and value.isascii() and value.isdecimal()
        return int(value) if number else value


def written(live: Mapping[str, str], snapshots: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """A file of these values, as PVE writes it: its notes first, then every key in order."""
    parts = [_lines(live), *(f"[{name}]\n{_lines(values)}" for name, values in (snapshots or {}).items())]
    return "\n".join(parts)


def _lines(values: Mapping[str, str]) -> str:
    notes = values.get(DESCRIPTION, "").splitlines()
    lines = [*(f"#{quote(note, safe=SAFE)}" for note in notes)]
    lines += [f"{key}: {values[key]}" for key in sorted(values) if key != DESCRIPTION]
    return "".join(f"{line}\n" for line in lines)


def _sections(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The head, without a name, and each section; comments of the head are the guest's description."""
    name: str = ""
    values: dict[str, str] = {}
    notes: list[str] = []
    for line in text.splitlines():
        if section := _SECTION.fullmatch(line):
            yield name, values | _description(notes)
            name, values, notes = section[1], {}, []
        elif line.startswith("#"):
            notes.append(line[1:])
        elif found := _LINE.fullmatch(line.rstrip()):
            values[found[1]] = found[2]
    yield name, values | _description(notes)


def _description(notes: list[str]) -> dict[str, str]:
    """Notes stand as comments, with some characters as %3A. pve-api#report-hostile."""
    return {DESCRIPTION: unquote("\n".join(notes))} if notes else {}
