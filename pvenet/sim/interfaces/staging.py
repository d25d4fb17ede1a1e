"""What requests make of a file: its text in, data or the text to be staged out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim import parameters
from pvenet.sim.formats import split_list
from pvenet.sim.interfaces.checks import prepared
from pvenet.sim.interfaces.model import Host, Interface, Parsed
from pvenet.sim.interfaces.parse import parse
from pvenet.sim.interfaces.requests import FORMS, addressed, check_gateway, check_ports, ovs_bridge_of, properties
from pvenet.sim.interfaces.write import write
from pvenet.sim.schema import Refused, bad_parameters, verify

if TYPE_CHECKING:
    from collections.abc import Mapping


def listing(parsed: Parsed, type: str | None = None) -> list[dict[str, object]]:  # noqa: A002  PVE's name of the parameter
    """Data of the list, in file order; raises `Refused` (400) for an unknown type.

    The caller takes out the bridges that its user may not see (pve-api#hidden-bridges).
    """
    kind = verify({"type": type}, parameters.LIST).get("type")
    kinds = parameters.ANY_OF.get(str(kind), (kind,))
    return [
        {"iface": name, **_json(interface)}
        for name, interface in parsed.interfaces.items()
        if name != "lo" and (kind in {None, "include_sdn"} or interface.type in kinds)
    ]


def entry(parsed: Parsed, iface: str) -> dict[str, object]:
    """Data of a single interface; raises `Refused` (400) when there is none."""
    verify({"iface": iface}, parameters.ONE)
    return _json(_existing(parsed, iface))


def _json(interface: Interface) -> dict[str, object]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in interface.properties.items()}


def _existing(parsed: Parsed, iface: str) -> Interface:
    if iface not in parsed.interfaces:
        raise bad_parameters(iface="interface does not exist")
    return parsed.interfaces[iface]


def create(parsed: Parsed, params: Mapping[str, object], host: Host) -> str:
    """The file's new text with one more interface; raises `Refused`."""
    given = verify(params, parameters.CREATE)
    parsed = _as_seen_by(parsed, host)
    iface = str(given["iface"])
    network = dict(parsed.interfaces)
    if iface in network:
        raise bad_parameters(iface="interface already exists")
    check_gateway(network, iface, given)
    check_ports(network, iface, given)
    wanted = properties(addressed(given))
    if "bridge_vids" in given:  # an update keeps them as they are sent (pve-api#f94)
        wanted["bridge_vids"] = " ".join(split_list(str(given["bridge_vids"])))
    kind = str(given["type"])
    if kind.startswith("OVS") and not host.ovs:
        raise Refused(500, "Open VSwitch is not installed (need package 'openvswitch-switch')")
    if kind in {"OVSIntPort", "OVSBond"}:
        bridge = ovs_bridge_of(network, given)
        others = [port for port in bridge.words("ovs_ports") if port != iface]
        network[bridge.name] = bridge.but({"ovs_ports": " ".join([*others, iface])})
    network[iface] = Interface(iface, wanted)
    return _written(parsed, network)


def update(parsed: Parsed, iface: str, params: Mapping[str, object], host: Host) -> str:
    """The file's new text with an interface changed; raises `Refused`."""
    given = verify({**params, "iface": iface}, parameters.UPDATE)
    parsed = _as_seen_by(parsed, host)
    found = _existing(parsed, iface)
    network = dict(parsed.interfaces)
    dropped = [key for name in split_list(str(given.pop("delete", ""))) for key in (name, *FORMS.get(name, ()))]
    given = addressed(given)  # before the gateway, unlike in a create (walk 27)
    check_gateway(network, iface, given)
    check_ports(network, iface, given)
    network[iface] = found.but(properties(given), drop=dropped)
    return _written(parsed, network)


def delete(parsed: Parsed, iface: str, host: Host) -> str:
    """The file's new text without an interface; raises `Refused`."""
    verify({"iface": iface}, parameters.ONE)
    parsed = _as_seen_by(parsed, host)
    found = _existing(parsed, iface)
    network = {name: interface for name, interface in parsed.interfaces.items() if name != iface}
    bridge = network.get(found.text("ovs_bridge"))
    if found.type in {"OVSIntPort", "OVSBond"} and bridge:  # pve-api#f99
        left = [port for port in bridge.words("ovs_ports") if port != iface]
        network[bridge.name] = bridge.but({"ovs_ports": " ".join(left)})
    return _written(parsed, network)


def rewrite(parsed: Parsed, host: Host) -> str:
    """The file's text after a write that changes no interface; raises `Refused` (500)."""
    parsed = _as_seen_by(parsed, host)
    return _written(parsed, dict(parsed.interfaces))


def requested(parsed: Parsed, iface: str, params: Mapping[str, object]) -> Interface:
    """What an update makes of an interface, before the whole is looked at; raises `Refused` (400)."""
    given = verify({**params, "iface": iface}, parameters.UPDATE)
    return _existing(parsed, iface).but(properties(addressed(given)))


def _as_seen_by(parsed: Parsed, host: Host) -> Parsed:
    """Writing looks at the machine as it is now, whatever a cached reading saw (H017)."""
    return parsed if parsed.host == host else parse(parsed.text, host)


def _written(parsed: Parsed, network: dict[str, Interface]) -> str:
    return write(prepared(network, parsed.host), parsed.loose)
