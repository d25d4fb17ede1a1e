"""What others do to a node, between two requests of whoever is watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pvenet.sim import interfaces
from pvenet.sim.boot import booted
from pvenet.sim.files import SimError
from pvenet.sim.hosts import read_hosts, write_hosts
from pvenet.sim.interfaces import Host, Interface, Parsed
from pvenet.sim.parameters import UPDATE
from pvenet.sim.schema import Refused, verify
from pvenet.sim.state import Node, Sim

Act: TypeAlias = Callable[[Node, Sim, float], None]
COMMENT = "Somebody else was here"
ALIAS_ADDRESS = "198.51.100.99/24"


def _staged(write: Callable[[Parsed, Host], str]) -> Act:
    """Somebody's call of the API that stages something; where PVE refuses it, nothing has happened."""

    def act(node: Node, sim: Sim, _now: float) -> None:
        host = sim.host(node.name)
        try:
            node.stage(write(interfaces.parse(node.text(), host), host))
        except Refused:
            return  # it is there already, or no longer: somebody was quicker

    return act


def create(iface: str, **form: object) -> Act:
    return _staged(lambda parsed, host: interfaces.create(parsed, {"iface": iface, **form}, host))


def delete(iface: str) -> Act:
    return _staged(lambda parsed, host: interfaces.delete(parsed, iface, host))


def update(iface: str, change: Callable[[Interface], dict[str, object]]) -> Act:
    """An update that keeps what it does not change."""

    def write(parsed: Parsed, host: Host) -> str:
        found = parsed.interfaces.get(iface, Interface(iface, {}))
        kept = {"type": found.type} | {key: found.text(key) for key in ("cidr", "cidr6") if found.text(key)}
        return interfaces.update(parsed, iface, kept | change(found), host)

    return _staged(write)


def comment(iface: str) -> Act:
    return update(iface, lambda _found: {"comments": COMMENT})


def autostart(iface: str) -> Act:
    return update(iface, lambda found: {"autostart": int(not found.autostart)})


def alias(iface: str) -> Act:
    return create(iface, type="alias", cidr=ALIAS_ADDRESS)


def assign(text: str) -> Act:
    """`IFACE:FIELD=VALUE`, in PVE's spelling; raises `SimError` for what PVE would refuse of any interface."""
    where, _, value = text.partition("=")
    iface, _, field = where.rpartition(":")
    if not iface or not value:
        raise SimError(f"{text!r} does not set a field: write IFACE:FIELD=VALUE as in vmbr0:mtu=9000")
    try:
        verify({"iface": iface, "type": "eth", field: value}, UPDATE)
    except Refused as refused:
        told = ", ".join(f"{name}: {reason.strip()}" for name, reason in (refused.errors or {}).items())
        raise SimError(f"PVE would refuse {text!r} ({told})") from None
    return update(iface, lambda _found: {field: value})


def revert(node: Node, _sim: Sim, _now: float) -> None:
    node.revert()


def hosts(node: Node, _sim: Sim, _now: float) -> None:
    """A line more at the end, each time another one."""
    text = read_hosts(node)
    write_hosts(node, f"{text}{ALIAS_ADDRESS.partition('/')[0]} somebody{text.count(' somebody') or ''}\n")


def reboot(seconds: float) -> Act:
    def boot(node: Node, _sim: Sim, now: float) -> None:
        booted(node, node.machine().but(silent_from=now, silent_until=now + seconds, cut_off=True), now)

    return boot
