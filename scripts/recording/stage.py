"""The node as the recorder finds it: whether a scene may be played there, and with which NICs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording.caller import Caller, Trouble
from recording.diff import stripped
from recording.scene import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recording.scene import Form, Scene

TASK_SECONDS = 120.0
POLL_SECONDS = 0.2
OK = 200
BRIDGES = "/sdn/zones/localnetwork"
NODE_PRIVILEGES = (("Sys.Audit",), ("Sys.Modify",))
BRIDGE_PRIVILEGES = (("SDN.Audit", "SDN.Use"),)


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at the list."""

    entries: Mapping[str, dict[str, Any]]
    changes: str | None
    """What is pending, without the times of the files."""

    def configured(self) -> dict[str, Any]:
        """What is comparable before and after: no flags of the kernel, no places in the file, no empty stanzas."""
        passing = {"active", "exists", "priority", "altnames"}
        return {
            name: {key: value for key, value in entry.items() if key not in passing}
            for name, entry in self.entries.items()
        }


class Stage:
    """A live node. Nothing that is done here is recorded."""

    def __init__(self, caller: Caller, node: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.caller = caller
        self.node = node
        self._sleep = sleep
        self.network = f"/nodes/{node}/network"

    def look(self) -> View:
        """The list, with what is pending. Never during a reload: that would freeze flags (pve-api#never-list)."""
        answer = self.caller.ask("GET", self.network)
        if answer.status != OK or not isinstance(answer.data, list):
            raise Trouble(f"{self.node} does not list its interfaces: {answer.status} {answer.reason}")
        return View(
            entries={entry["iface"]: entry for entry in answer.data}, changes=stripped(answer.json.get("changes"))
        )

    def admit(self, scene: Scene, wanted: tuple[str, ...]) -> tuple[View, dict[str, str]]:
        """The node before a scene, and the NICs of its roles; raises Trouble where the scene may not be played."""
        self._must_be_allowed()
        if self._reloading():
            raise Trouble(f"{self.node} is reloading its network now: try again when that is over")
        view = self.look()
        if view.changes:
            raise Trouble(
                f"{self.node} has pending changes that are not the recorder's:\n{view.changes}\n"
                "apply or revert them first; nothing was sent"
            )
        roles = dict(zip(ROLES, self._nics(scene, view, wanted), strict=False))
        present = [name for made in scene.makes if (name := made.format_map(roles)) in view.entries]
        if present:
            raise Trouble(
                f"{self.node} has {', '.join(present)}, which scene {scene.name} would make and delete: "
                "record on another node, or remove it first; nothing was sent"
            )
        return view, roles

    def _must_be_allowed(self) -> None:
        """Without SDN.Audit the list leaves bridges out (pve-api#hidden-bridges), the scene's own among them."""
        missing = []
        for path, wanted in ((f"/nodes/{self.node}", NODE_PRIVILEGES), (BRIDGES, BRIDGE_PRIVILEGES)):
            granted = (self.caller.ask("GET", f"/access/permissions?path={path}").data or {}).get(path, {})
            missing += [f"{names[0]} on {path}" for names in wanted if not granted.keys() & set(names)]
        if missing:
            raise Trouble(f"the token lacks {', '.join(missing)}; nothing was sent")

    def _reloading(self) -> bool:
        answer = self.caller.ask("GET", f"/nodes/{self.node}/tasks?source=active&typefilter=srvreload")
        return any(entry.get("id") == "networking" for entry in answer.data or ())

    def _nics(self, scene: Scene, view: View, wanted: tuple[str, ...]) -> tuple[str, ...]:
        reasons = {name: why_not_spare(name, view) for name in wanted or _nics_of(view)}
        spare = tuple(name for name, reason in reasons.items() if not reason)
        refused = {name: reason for name, reason in reasons.items() if reason}
        if len(spare) < scene.nics or (wanted and refused):
            told = "; ".join(f"{name} {reason}" for name, reason in refused.items()) or "no others"
            raise Trouble(
                f"scene {scene.name} needs {scene.nics} spare NICs, {self.node} has {len(spare)}"
                f"{': ' if spare else ''}{', '.join(spare)} ({told}); nothing was sent"
            )
        return spare[: scene.nics]

    def wait(self, upid: str) -> None:
        """Ask for a task until it has stopped."""
        limit = time.monotonic() + TASK_SECONDS
        path = f"/nodes/{self.node}/tasks/{quote(upid, safe='')}/status"
        while time.monotonic() < limit:
            answer = self.caller.ask("GET", path)
            if answer.status != OK or answer.data.get("status") != "running":
                return
            self._sleep(POLL_SECONDS)
        raise Trouble(f"the reload of {self.node} has not ended in {TASK_SECONDS:.0f} s: see task {upid}")

    def wait_for_any(self) -> None:
        """Wait until no reload runs, whosever it is."""
        limit = time.monotonic() + TASK_SECONDS
        while self._reloading():
            if time.monotonic() > limit:
                raise Trouble(f"a reload of {self.node} has not ended in {TASK_SECONDS:.0f} s")
            self._sleep(POLL_SECONDS)

    def restore(self, before: View, made: tuple[str, ...], nics: tuple[str, ...]) -> None:
        """Take away what a scene has made, and give its NICs back; raises Trouble where that can't be."""
        self.caller.ask("DELETE", self.network)
        now = self.look()
        left = [name for name in reversed(made) if name in now.entries and name not in before.entries]
        for name in left:
            self._must("DELETE", f"{self.network}/{name}")
        started = [name for name in nics if _autostart(now, name) != _autostart(before, name)]
        for name in started:
            form: Form = {"type": "eth", "autostart": _autostart(before, name)}
            self._must("PUT", f"{self.network}/{name}", form)
        if left or started:
            self.wait(str(self._must("PUT", self.network)))
        if (after := self.look()).configured() != before.configured() or after.changes:
            raise Trouble(f"{self.node} is not as it was: {_differences(before, after)}")

    def _must(self, method: str, path: str, form: Form | None = None) -> Any:
        answer = self.caller.ask(method, path, form)
        if answer.status != OK:
            raise Trouble(f"{self.node} refuses {method} {path}: {answer.status} {answer.reason}")
        return answer.data


def why_not_spare(name: str, view: View) -> str:
    """Why a NIC can't be used; empty where it can: nobody uses it, and nothing of it could be lost."""
    entry = view.entries.get(name)
    if entry is None or entry.get("type") != "eth":
        return "is no NIC there"
    if not entry.get("exists"):
        return "is not plugged in"
    if entry.get("cidr") or entry.get("cidr6") or entry.get("address") or entry.get("address6"):
        return "has an address"
    if (entry.get("method"), entry.get("method6")) != ("manual", "manual") or entry.get("families", ["inet"]) != [
        "inet"
    ]:
        return "is not manual"
    if entry.get("options") or entry.get("options6"):
        return "has options that an update could lose"
    users = [other["iface"] for other in view.entries.values() if name in _beneath(other)]
    return f"is used by {', '.join(sorted(users))}" if users else ""


def _beneath(entry: dict[str, Any]) -> set[str]:
    """The interfaces that one stands on."""
    listed = " ".join(str(entry.get(key) or "") for key in ("slaves", "bridge_ports", "ovs_ports", "ovs_bonds"))
    parents = {str(entry.get("vlan-raw-device") or ""), str(entry["iface"]).partition(".")[0].partition(":")[0]}
    names = set(listed.split())
    return (names | {name.partition(".")[0] for name in names} | parents) - {entry["iface"]}


def _nics_of(view: View) -> list[str]:
    return sorted(name for name, entry in view.entries.items() if entry.get("type") == "eth")


def _autostart(view: View, name: str) -> int:
    return int(view.entries.get(name, {}).get("autostart") or 0)


def _differences(before: View, after: View) -> str:
    was, now = before.configured(), after.configured()
    names = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    return ", ".join(names) or "something is pending"
