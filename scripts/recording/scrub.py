"""Takes out of an exchange what is nobody's business, so that two recordings of the same node are equal.

Whoever recorded becomes the throw-away token of the first recordings, the node becomes pve1, addresses become those
that are kept for documents, and a task is numbered. What stands for what is kept, so that one thing is always called
the same.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from recording.diff import scrub_diff
from recording.leaks import FINGERPRINT, IPV4, IPV6, MAC, OPEN_MAC

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from recording.caller import Answer, Place
    from recording.scene import Form, Step

NODE = "pve1"
TOKEN = "root@pam!full"
AUTHORIZATION = f"PVEAPIToken={TOKEN}=11111111-1111-1111-1111-111111111111"
BEGINNING = 0x65000000
"""When the tasks of a recording begin, a second apart."""
UPID = re.compile(r"UPID(?P<c>:|%3A)[^\s\"/:%]+(?:(?P=c)[0-9A-Fa-f]{8,9}){3}(?P=c)\w+(?P=c)\w*(?P=c)[^\s\"/:]+?(?P=c)")
MEASURED = frozenset(
    {"cpu", "disk", "maxcpu", "maxdisk", "maxmem", "mem", "uptime", "diskread", "diskwrite", "netin", "netout"}
)
KEPT_HEADERS = frozenset({"connection", "content-type"})
"""Those that a client acts upon. Times are chance, and the length is that of another order of keys."""
DOCUMENT_NETS = ("192.0.2", "198.51.100", "203.0.113")
LAST = 254


@dataclass(kw_only=True)
class Scrub:
    """What stands for what, in one recording."""

    place: Place
    node: str
    others: tuple[str, ...] = ()
    """The cluster's other nodes."""
    own: frozenset[str] = frozenset()
    """Interfaces of the scene: nothing of theirs is hidden."""
    addresses_kept: frozenset[str] = frozenset()
    """Addresses that the scene itself sends."""
    upids: dict[str, str] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)
    _macs: dict[str, str] = field(default_factory=dict)

    def exchange(self, step: Step, path: str, form: Form | None, answer: Answer) -> dict[str, Any]:
        """An exchange as it is written."""
        authorization = AUTHORIZATION if step.authorization is None else step.authorization
        headers = {"Authorization": authorization} if authorization else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        sent = None if form is None else self.value(dict(form))
        found = self.value(answer.json) if answer.json is not None else None
        body = self.text(answer.body) if found is None else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        kept = [[name, value] for name, value in answer.headers if name.lower() in KEPT_HEADERS]
        return {
            "name": step.name,
            "note": step.note,
            "request": {
                "method": step.method,
                "path": self.text(f"/api2/json{path}"),
                "form": sent,
                "raw_body": None if sent is None else urlencode(sent),
                "headers": headers,
            },
            "response": {
                "status": answer.status,
                "reason": self.text(answer.reason),
                "headers": kept,
                "body": body,
                "json": found,
            },
            "seconds": answer.seconds,
        }

    def value(self, value: Any, key: str = "") -> Any:
        """A value of JSON; arrays of objects are sorted, as PVE's order is random, and so are keys."""
        match value:
            case dict():
                return self._object(value)
            case list():
                return (
                    [self.value(item) for item in sorted(value, key=_order)] if _objects(value) else self._list(value)
                )
            case str():
                return scrub_diff(value, self.own, self.text) if key == "changes" else self.text(value)
            case int() | float() if key in MEASURED:
                return 0
            case _:
                return value

    def _list(self, items: list[Any]) -> list[Any]:
        return [self.value(item) for item in items]

    def _object(self, entry: dict[str, Any]) -> dict[str, Any]:
        found = {self.text(name): self.value(entry[name], name) for name in sorted(entry)}
        if "iface" in entry and "method6" in entry and entry["iface"] not in self.own:
            _hide_foreign(found)
        for name in ("node", "name"):
            if entry.get(name) in (self.node, *self.others):
                found[name] = self._node_name(entry[name])
        if entry.get("type") == "cluster" and "quorate" in entry:
            found["name"] = "cluster"
        if "upid" in entry:
            self._task(found)
        return found

    def _task(self, entry: dict[str, Any]) -> None:
        """What a task's name tells once more, field by field."""
        if not isinstance(entry.get("upid"), str) or not UPID.fullmatch(entry["upid"]):
            return
        number = int(entry["upid"].split(":")[2], 16)
        told: dict[str, Any] = {
            "pid": number,
            "pstart": number,
            "starttime": BEGINNING + number,
            "endtime": BEGINNING + number + 1,
        }
        told["user"], _, told["tokenid"] = TOKEN.partition("!")
        entry.update({name: value for name, value in told.items() if name in entry})

    def text(self, text: str) -> str:
        """A text without what it tells of its place."""
        for secret, word in self._words():
            text = text.replace(secret, word)
        text = UPID.sub(lambda match: self._upid(match[0]), text)
        text = FINGERPRINT.sub(
            lambda match: ":".join(["00"] * (match[0].count(":") + 1 if ":" in match[0] else 32)), text
        )
        text = MAC.sub(lambda match: self._mac(match[0]), text)
        text = IPV4.sub(lambda match: self._address(match[0]), text)
        text = IPV6.sub(lambda match: self._address(match[0]), text)
        for name in (self.node, *self.others):
            text = re.sub(rf"(?<=\bnodes/){re.escape(name)}(?![\w-])", self._node_name(name), text)
            text = re.sub(rf"^node/{re.escape(name)}$", f"node/{self._node_name(name)}", text)
        return text

    def _words(self) -> Sequence[tuple[str, str]]:
        """Literal words, the longest first: secret, token, fingerprint."""
        place = self.place
        secret = AUTHORIZATION.rpartition("=")[2]
        words = [
            (place.token_secret, secret),
            (place.token_id, TOKEN),
            (quote(place.token_id, safe=""), quote(TOKEN, safe="")),
        ]
        user = place.token_id.partition("!")[0]
        if not user.startswith("root@"):
            words.append((user, TOKEN.partition("!")[0]))
        if not _is_address(place.host) and place.host != "localhost":
            words.append((place.host, f"{NODE}.example.com"))
        return words

    def _node_name(self, name: str) -> str:
        return NODE if name == self.node else f"pve{2 + self.others.index(name)}"

    def _upid(self, upid: str) -> str:
        quoted = "%3A" in upid
        plain = upid.replace("%3A", ":").replace("%40", "@").replace("%21", "!")
        fields = plain.split(":")
        if plain not in self.upids:
            number = len(self.upids) + 1
            time = f"{BEGINNING + number:08X}"
            self.upids[plain] = ":".join(
                ["UPID", NODE, f"{number:08X}", f"{number:08X}", time, fields[5], fields[6], TOKEN, ""]
            )
        return quote(self.upids[plain], safe="") if quoted else self.upids[plain]

    def _mac(self, mac: str) -> str:
        plain = re.sub("[:-]", "", mac).lower()
        if plain.startswith(OPEN_MAC):
            return mac
        known = self._macs.setdefault(plain, f"{OPEN_MAC}{len(self._macs) + 1:02x}")
        if plain == mac.lower():
            return known
        return ":".join(known[at : at + 2] for at in range(0, 12, 2))

    def _address(self, text: str) -> str:
        """One of those kept for documents; ULA for IPv6, as PVE takes none of 2001:db8::/32 for a host."""
        if not _is_address(text) or text in self.addresses_kept:
            return text
        address = ipaddress.ip_address(text)
        if address.is_loopback or address.is_unspecified or text.startswith("255."):
            return text
        number = len(self._addresses)
        new = f"fd00:db8::{number + 1:x}" if address.version != 4 else _document(number)  # noqa: PLR2004
        return self._addresses.setdefault(text, new)


def _document(number: int) -> str:
    return f"{DOCUMENT_NETS[number // LAST % len(DOCUMENT_NETS)]}.{number % LAST + 1}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _objects(items: Collection[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)


def _order(item: dict[str, Any]) -> str:
    """Lines of a log are numbered, everything else has a name."""
    if "n" in item:
        return f"{item['n']:09}"
    return str(item.get("iface") or item.get("node") or item.get("id") or json.dumps(item, sort_keys=True))


def _hide_foreign(entry: dict[str, Any]) -> None:
    """What a person wrote about an interface that is not the scene's."""
    for name in ("comments", "comments6"):
        if name in entry:
            entry[name] = "scrubbed\n"
    for name in ("options", "options6"):
        if name in entry:
            entry[name] = ["scrubbed"] * len(entry[name])
