"""What the simulated node makes of odd files and odd requests, as PVE does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sim_file import HOST, OVS, START, order, parse, refused, rewritten, stanza

from pvenet.sim import interfaces
from pvenet.sim.schema import Refused

ARRAY = "Can't use an undefined value as an ARRAY reference at /usr/share/perl5/PVE/Network/Interfaces.pm line 1130."


def written(text: str, iface: str, **params: object) -> str:
    """The stanza of an interface after its update."""
    return stanza(interfaces.update(parse(text), iface, params, HOST), iface)


# Parents that are not there


def test_an_alias_of_nothing_refuses_every_write() -> None:
    """Its parent is listed without a type, and can't be written until somebody updates it."""
    text = START + "iface bond7:1 inet manual\n"
    listed = {entry["iface"]: entry for entry in interfaces.listing(parse(text))}
    assert listed["bond7"] == {"iface": "bond7", "exists": 0}
    assert listed["bond7:1"]["exists"] == 0
    with pytest.raises(Refused) as caught:
        rewritten(text)
    assert (caught.value.status, caught.value.message) == (500, ARRAY)
    assert refused(text, {"iface": "bond7", "type": "bond"}).errors == {"iface": "interface already exists"}
    assert "iface bond7 inet manual\n" in interfaces.update(parse(text), "bond7", {"type": "bond"}, HOST)


def test_a_vlan_of_nothing_names_an_empty_type() -> None:
    """Its parent is there without a type; deleting it makes none the less of it."""
    text = START + "iface ens99.7 inet manual\n"
    wrong = "vlan 'ens99.7' - wrong interface type on parent 'ens99' ('' != 'eth|bond|bridge|vlan' )"
    with pytest.raises(Refused, match="wrong interface type") as caught:
        rewritten(text)
    assert caught.value.message == wrong
    with pytest.raises(Refused, match="unable to find parent 'ens99'"):
        interfaces.delete(parse(text), "ens99", HOST)


@pytest.mark.parametrize(("ports", "taken"), [("bond7.50 bond7", True), ("bond7 bond7.50", False)])
def test_a_vlan_as_a_port_lets_its_parent_count_as_there(ports: str, taken: bool) -> None:  # noqa: FBT001
    """For the ports that are looked at after it."""
    params = {"iface": "vmbr9", "type": "bridge", "bridge_ports": ports}
    if taken:
        assert f"\tbridge-ports {ports}\n" in interfaces.create(parse(START), params, HOST)
    else:
        assert refused(START, params).message == "bridge 'vmbr9' - unable to find bridge port 'bond7'"


# Other names


@pytest.mark.parametrize("mention", ["iface enp2s9 inet manual\n", "auto enp2s9\n"])
def test_a_nic_by_its_altname(mention: str) -> None:
    """A NIC that the file calls by an altname exists by that, and its own name is no interface."""
    host = replace(HOST, nics={"ens1": ("enx00", "enp2s9")})
    parsed = parse(mention, host)
    assert set(parsed.interfaces) == {"lo", "enp2s9"}
    entry = interfaces.entry(parsed, "enp2s9")
    assert (entry["type"], entry["exists"], entry["altnames"]) == ("eth", 1, ["ens1", "enx00"])
    with pytest.raises(Refused, match="unable to find bridge port 'ens1'"):
        interfaces.create(parsed, {"iface": "vmbr0", "type": "bridge", "bridge_ports": "ens1"}, host)


# Requests


@pytest.mark.parametrize(
    ("params", "lines"),
    [
        ({"delete": "netmask"}, ["address 10.0.0.1"]),
        ({"delete": "address"}, ["address 10.0.0.1/24"]),
        ({"delete": "cidr"}, []),
        ({"delete": "netmask", "cidr": "10.0.0.1/24"}, ["address 10.0.0.1/24"]),
    ],
)
def test_parts_of_an_address_that_go(params: dict[str, object], lines: list[str]) -> None:
    """Without its netmask an address has no length; without itself it is taken from the whole."""
    text = written(START, "vmbr0", type="bridge", **params)
    assert [line.strip() for line in text.splitlines() if "address" in line] == lines


@pytest.mark.parametrize(("request_", "vids"), [("update", "10,20;30"), ("create", "10 20 30")])
def test_vids_are_written_as_an_update_sends_them(request_: str, vids: str) -> None:
    """And with blanks between as a create does."""
    params = {"type": "bridge", "bridge_vlan_aware": 1, "bridge_vids": "10,20;30"}
    if request_ == "update":
        new = interfaces.update(parse(START), "vmbr0", params, HOST)
    else:
        new = interfaces.create(parse(START), {"iface": "vmbr1", **params}, HOST)
    assert f"\tbridge-vids {vids}\n" in new


def test_a_tag_of_an_ovs_bridge_is_a_line() -> None:
    """It is written as it was asked for, and read back as an option that PVE doesn't know."""
    new = interfaces.create(parse(START, OVS), {"iface": "vmbr5", "type": "OVSBridge", "ovs_tag": 7}, OVS)
    assert "\tovs_tag 7\n" in new
    entry = interfaces.entry(parse(new, OVS), "vmbr5")
    assert entry["options"] == ["ovs_tag 7"]
    assert "ovs_tag" not in entry


def test_a_port_that_no_bridge_lists_loses_its_place() -> None:
    """It is a plain NIC behind all NICs that have one, whoever changes what."""
    text = START.replace("iface ens2 inet manual\n", "iface ens2 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr5\n")
    assert order(rewritten(text)) == ["lo", "ens1", "ens3", "ens2", "vmbr0"]
    assert written(text, "ens2", type="OVSPort", comments="x") == "iface ens2 inet manual"


def test_a_port_of_what_goes_itself_goes() -> None:
    """Who lists it counts as it stood in the file."""
    bond = "iface bond0 inet manual\n\tovs_type OVSBond\n\tovs_bonds int1\n"
    port = "iface int1 inet manual\n\tovs_type OVSIntPort\n"
    assert order(rewritten(START + bond + port)) == ["lo", "ens1", "ens2", "ens3", "bond0", "vmbr0"]
    bridge = "iface vmbr9 inet manual\n\tslaves bond0\n"
    assert order(rewritten(START + bond + port + bridge)) == ["lo", "ens1", "ens2", "ens3", "vmbr0", "vmbr9"]


# Characters


def test_a_file_is_read_byte_by_byte() -> None:
    """Other text than comments doubles its bytes at each write, and a letter's second byte may be a blank."""
    text = "auto lo\niface lo inet loopback\n\niface ens1 inet manual\n\talias für là\n#für là\n"
    once = rewritten(text)
    assert "\talias fÃ¼r lÃ\n#für l�\n" in once
    assert "\talias fÃ\x83Â¼r lÃ\x83\n" in rewritten(once)
    assert interfaces.entry(parse(text), "ens1")["comments"] == "für l�\n"


def test_a_line_of_a_windows_file() -> None:
    """A carriage return at the end is a blank; a loose line that stands alone keeps it."""
    text = "iface ens1 inet manual\r\n\tmtu 1400\r\n\r\nsource x\r\n"
    assert interfaces.entry(parse(text), "ens1")["mtu"] == "1400"
    assert rewritten(text).endswith("\nsource x\r\n")
