"""Links that a reload brings up: those of other names, those that a file's own commands make, those that two want."""

from __future__ import annotations

import pytest

from pvenet.sim.machine.ifupdown2 import nics_of
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.releases import RELEASES
from pvenet.sim.machine.reload import applied, ifreload

LO = "auto lo\niface lo inet loopback\n\n"
BRIDGE = "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports {port}\n"


@pytest.mark.parametrize(
    ("command", "link"),
    [
        ("pre-up ip link add vxlan0 type vxlan id 10 dev ens38 || true", "vxlan0"),
        ("pre-up /sbin/ip -4 link add name gre1 type gretap remote 192.0.2.9", "gre1"),
        ("pre-up ip link add link ens38 name mac0 type macvlan", "mac0"),
        ("pre-up ip link add link ens38 mac0 type macvlan", "mac0"),
        ("pre-up ip link add dev dummy0 type dummy", "dummy0"),
        ("pre-up ip link add $IFACE type dummy", "vxlan0"),
        ('pre-up ip link add "${IFACE}" type dummy', "vxlan0"),
        ("pre-up ip link add va type veth peer name vb", "vb"),
        ("pre-up ip link add va type veth peer name vb", "va"),
        ("pre-up ip tuntap add dev tap0 mode tap", "tap0"),
        ("pre-up ip tuntap add mode tap tap0x name tap0", "tap0"),
        ("pre-up ip tunnel add tun5 mode gre remote 192.0.2.9", "tun5"),
        ("pre-up openvpn --mktun --dev tap1", "tap1"),
        ("up ip link add late0 type dummy", "late0"),
        ("link-type dummy", "vxlan0"),
    ],
)
def test_links_that_commands_make_exist(command: str, link: str) -> None:
    """A port that a stanza's own command has made is there, and goes with no reload that makes it again."""
    text = f"{LO}auto vxlan0\niface vxlan0 inet manual\n\t{command}\n\n{BRIDGE.format(port=link)}"
    nics = {"ens38": ()}
    first = ifreload(text, nics, frozenset({"lo"}), frozenset())
    up, made = applied(first.steps, frozenset({"lo"}), frozenset(), nics)
    assert (first.exit_code, first.log) == (0, ())
    assert {link, "vmbr1"} <= up
    assert {link, "vmbr1"} <= made
    assert ifreload(text, nics, up, made).steps == ()
    assert link not in nics_of(text)


def test_links_that_commands_make_and_nobody_takes_are_down() -> None:
    """They are there, and no later reload changes that."""
    text = f"{LO}auto ens38\niface ens38 inet manual\n\tpost-up ip link add gre1 type gretap remote 192.0.2.9\n"
    machine = Machine.fresh(["ens38"], text)
    assert (machine.up, machine.made) == ({"lo", "ens38"}, {"gre1"})
    assert ifreload(text, machine.nics, machine.up, machine.made).steps == ()


def test_links_that_nothing_makes_are_missing() -> None:
    """A command that makes another link, or none, makes no port."""
    text = f"{LO}auto ens38\niface ens38 inet manual\n\tpost-up ip link set vxlan0 up\n\n{BRIDGE.format(port='vxlan0')}"
    assert ifreload(text, {"ens38": ()}, frozenset({"lo"}), frozenset()).exit_code == 1


VLANS = f"""{LO}
auto bond0.50
iface bond0.50 inet manual

auto vlan5
iface vlan5 inet manual
	vlan-raw-device bond0.50

auto vlan6
iface vlan6 inet manual
	vlan-raw-device ens77
"""


def test_vlans_go_with_what_they_stand_on() -> None:
    """With a bond that the file names no more; not where the raw device is another one now, and not there."""
    made = frozenset({"bond0", "bond0.50", "vlan5", "vlan6"})
    outcome = ifreload(VLANS, {"ens38": ()}, made | {"lo", "ens38"}, made)
    assert outcome.exit_code == 1
    up, made = applied(outcome.steps, made | {"lo", "ens38"}, made)
    assert (up, made) == (frozenset({"lo", "ens38", "vlan6"}), frozenset({"vlan6"}))


def test_a_nic_goes_by_its_altname() -> None:
    """The kernel knows it by either name; what comes up is called as the kernel does."""
    text = f"{LO}iface enp2s0 inet manual\n\n{BRIDGE.format(port='enp2s0')}"
    nics = {"nic1": ("enx020000680083", "enp2s0")}
    outcome = ifreload(text, nics, frozenset({"lo"}), frozenset())
    assert (outcome.exit_code, [step.link for step in outcome.steps]) == (0, ["nic1", "vmbr1"])
    assert Machine.fresh(nics, text).up == {"lo", "nic1", "vmbr1"}
    assert Machine.fresh(nics, text).made == {"vmbr1"}
    hook = text.replace("enp2s0 inet manual\n", "enp2s0 inet manual\n\tup ip link add x1 type dummy\n", 1)
    assert Machine.fresh(nics, hook).made == {"vmbr1", "x1"}


@pytest.mark.parametrize("there", [True, False])
def test_a_bridge_keeps_its_port(there: bool) -> None:  # noqa: FBT001
    """A bond's slave that is a bridge's port as well fails the reload, whether the bridge is there already or not."""
    text = f"{LO}auto bond0\niface bond0 inet manual\n\tbond-slaves ens38 ens39\n\n{BRIDGE.format(port='ens38')}"
    made = frozenset({"vmbr1"} if there else ())
    outcome = ifreload(text, {"ens38": (), "ens39": ()}, frozenset({"lo"}), made, release=RELEASES["3.3.0"])
    assert outcome.exit_code == 1
    assert outcome.log == ("bond0 : error: bond0: sub interfaces are not allowed on bond slave: ens38 (vmbr1) ",)
    assert outcome.slaves == {"ens39": "bond0"}


@pytest.mark.parametrize(
    ("text", "nics"),
    [
        ("iface eno1.5 inet manual\n", ["eno1"]),
        ("iface vlan5 inet manual\n\tvlan-raw-device eno1\n", ["eno1"]),
        ("iface eno1:0 inet manual\n", ["eno1"]),
        ("iface vmbr0 inet manual\n\tbridge-ports eno1.5.6\n", ["eno1"]),
        ("iface bond5.7 inet manual\n", []),
        ("iface a inet manual\n\tvlan-raw-device b\niface b inet manual\n\tvlan-raw-device a\n", []),
    ],
)
def test_what_vlans_and_aliases_stand_on_is_a_nic(text: str, nics: list[str]) -> None:
    """Of a machine of which only the file is known, where it has the name of one."""
    assert nics_of(LO + text) == nics
