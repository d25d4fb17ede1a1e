"""Are we there? Pure judgements, and the pace of the looks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from pvenet.apply.runtime import interval
from pvenet.apply.verify import Expectation, expect, expect_restored, failing_as_before, failing_elsewhere, judge
from pvenet.model import Bond, Bridge, Ethernet, FileOnly, Interface, Link, Network, Other, Vlan
from pvenet.plan.restore import restore_plan

NIC = Ethernet(name="ens38", autostart=False)
BOND = Bond(name="bond0", slaves=("ens38",))
VMBR1 = Bridge(name="vmbr1", ports=("bond0",))


def network(*interfaces: Interface, up: str = "") -> Network:
    links = {interface.name: Link(active=interface.name in up.split()) for interface in interfaces}
    return Network(interfaces={interface.name: interface for interface in interfaces}, links=links)


def expected(*interfaces: Interface) -> Expectation:
    """What to expect of these where nothing was there before."""
    wanted = network(*interfaces)
    return expect(before=network(), wanted=wanted, touched=wanted.interfaces.keys())


def test_autostart_and_what_is_beneath_has_to_be_active() -> None:
    """A bridge with autostart, its bond without, and that bond's slave."""
    assert expected(NIC, replace(BOND, autostart=False), VMBR1).active == {"ens38", "bond0", "vmbr1"}


def test_without_autostart_nothing_has_to_be_active() -> None:
    """Nor what is beneath."""
    assert expected(NIC, replace(BOND, autostart=False)).active == set()


def test_a_port_without_a_stanza_is_not_looked_for() -> None:
    """The listing does not have it (pve-api#vlan-port)."""
    assert expected(Bridge(name="vmbr1", ports=("bond0.50",))).active == {"vmbr1"}


def test_bonds_in_a_circle_end() -> None:
    """A file may say so."""
    circle = expected(Bond(name="bond0", slaves=("bond1",)), Bond(name="bond1", slaves=("bond0",)))
    assert circle.active == {"bond0", "bond1"}


@pytest.mark.parametrize(
    ("kind", "has_to"),
    [("OVSBridge", True), ("OVSIntPort", True), ("OVSPort", True), ("alias", False), ("vnet", False)],
)
def test_of_kinds_that_are_not_modelled_some_have_a_link(kind: str, has_to: bool) -> None:  # noqa: FBT001 - a parameter
    """Those whose autostart brings up a link that the kernel shows."""
    assert ("x1" in expected(Other(name="x1", kind=kind)).active) is has_to


def test_a_vlan_with_autostart_has_to_be_active() -> None:
    """Its raw device follows from it."""
    assert expected(NIC, Vlan(name="ens38.5")).active == {"ens38.5"}


@pytest.mark.parametrize("line", ["link-down yes", "post-up ip link set ens41 down"])
def test_what_a_line_of_its_stanza_keeps_down_has_not_to_be_active(line: str) -> None:
    """ifupdown2 leaves it down whatever its `autostart` says, also as a bridge's port, and that is meant."""
    nic = Ethernet(name="ens41", comments="for later", file_only=FileOnly(options=(line,)))
    assert expected(nic).active == set()
    assert expected(nic, Bridge(name="vmbr1", ports=("ens41",))).active == {"vmbr1"}
    assert expected(replace(nic, file_only=FileOnly(options=("post-up true",)))).active == {"ens41"}


def test_what_was_down_before_and_is_untouched_is_excused() -> None:
    """It is told, and is no failure; what is touched, or beneath it, is not excused."""
    down = Ethernet(name="ens41")
    wanted = network(NIC, BOND, VMBR1, down)
    found = expect(before=network(NIC, down), wanted=wanted, touched={"vmbr1"})
    assert found.excused == {"ens38", "ens41"}
    assert found.active == {"bond0", "vmbr1"}
    judgement = judge(found, network(NIC, BOND, VMBR1, down, up="bond0 vmbr1 ens38"))
    assert judgement.good
    assert judgement.excused == ("ens41",)


def test_what_was_up_before_has_to_stay_up() -> None:
    """Untouched or not."""
    other = Ethernet(name="ens41")
    found = expect(before=network(other), wanted=network(other, BOND, up="ens41"), touched={"bond0"})
    assert judge(found, network(other, BOND, up="bond0")).down == ("ens41",)


def test_of_changes_that_are_not_ours_nothing_is_excused() -> None:
    """Nobody can tell what they touch."""
    found = expect(before=None, wanted=network(Ethernet(name="ens41")), touched=None)
    assert found.active == {"ens41"}
    assert found.excused == found.gone == frozenset()


def test_each_way_to_be_wrong_is_told_apart() -> None:
    """Down, different, missing, still there, and somebody else's."""
    found = expect(before=network(VMBR1), wanted=network(NIC, BOND, Ethernet(name="ens40")), touched={"bond0", "ens40"})
    now = network(
        NIC, replace(BOND, slaves=("ens41",)), VMBR1, Bridge(name="vmbr9"), Ethernet(name="ens77"), up="ens38"
    )
    judgement = judge(found, now)
    assert not judgement.good
    assert judgement.down == ("bond0", "ens40")
    assert judgement.different == ("bond0", "ens40")
    assert judgement.there == ("vmbr1",)
    assert judgement.more == ("vmbr9",)


def test_two_spellings_of_one_value_are_no_difference() -> None:
    """PVE sorts slaves, and lists each once."""
    found = expected(Bond(name="bond0", slaves=("ens39", "ens38", "ens39")))
    assert judge(found, network(Bond(name="bond0", slaves=("ens38", "ens39")), up="bond0")).good


def test_looks_grow_apart_with_the_time_that_has_passed() -> None:
    """From a tenth of a second to two, never backwards; and a clock that goes back asks no faster."""
    paces = [interval(elapsed / 10) for elapsed in range(600)]
    assert paces[0] == interval(-3600.0) == 0.1
    assert paces[-1] == 2.0
    assert all(earlier <= later for earlier, later in pairwise(paces))
    assert interval(1.5) <= 0.15


def test_of_what_comes_new_only_what_was_said_of_it_is_ours() -> None:
    """Somebody has set another field in the moment of the reload."""
    found = expect(before=network(NIC), wanted=network(NIC, BOND), touched={"bond0"})
    judgement = judge(found, network(NIC, replace(BOND, comments="theirs"), up="bond0 ens38"))
    assert judgement.good
    assert judgement.more == ("bond0",)
    assert judgement.told(judgement.more) == "bond0 (comments)"


OLD, MINE, THEIR = (Ethernet(name="ens40", comments=text) for text in ("old", "mine", "theirs"))


@pytest.mark.parametrize(
    ("now", "theirs", "reverted"),
    [
        ([THEIR, NIC], ("ens40",), False),
        ([OLD, NIC], (), True),
        ([OLD, NIC, BOND], (), False),
        ([NIC, BOND], (), False),
    ],
    ids=["theirs", "all as before", "one as before", "gone"],
)
def test_a_value_that_was_there_before_is_nobody_elses(
    now: list[Interface], *, theirs: tuple[str, ...], reverted: bool
) -> None:
    """A third one is; and where all is as before, it was reverted."""
    found = expect(before=network(OLD, NIC), wanted=network(MINE, NIC, BOND), touched={"ens40", "bond0"})
    judgement = judge(found, network(*now))
    assert "ens40" in judgement.different
    assert (judgement.theirs, judgement.reverted) == (theirs, reverted)


def named(name: str, *altnames: str, active: bool = False) -> Network:
    """A bridge that is up over one NIC that is not listed as up, or is."""
    nic, bridge = Ethernet(name=name), Bridge(name="vmbr1", ports=(name,))
    links = {name: Link(active=active, exists=True, altnames=altnames), "vmbr1": Link()}
    return Network(interfaces={name: nic, "vmbr1": bridge}, links=links)


@pytest.mark.parametrize(
    ("name", "altnames", "hidden"),
    [
        ("enp2s0", ("nic1", "enx020000680083"), True),
        ("enx020000680083", ("enp2s0",), True),
        ("eno30", ("eth0",), True),
        ("ens38", ("enp2s6", "enx020000680083"), False),
        ("nic1", ("enp2s0",), False),
        ("ens38", (), False),
    ],
)
def test_of_a_nic_by_its_altname_it_can_not_be_told_that_it_is_up(
    name: str,
    altnames: tuple[str, ...],
    hidden: bool,  # noqa: FBT001 - a parameter
) -> None:
    """PVE looks for the flag by the kernel's name, which is the one that udev prefers (pve-api#altname-active)."""
    wanted = named(name, *altnames)
    found = expect(before=wanted, wanted=wanted, touched={"vmbr1"})
    assert (name in found.untellable) is hidden
    assert (name in found.active) is not hidden


def test_a_nic_that_is_down_beneath_what_is_up_is_by_an_altname() -> None:
    """Whatever its names are."""
    wanted = named("ens38", "enp2s6")
    wanted = replace(wanted, links={**wanted.links, "vmbr1": Link(active=True)})
    assert expect(before=wanted, wanted=wanted, touched={"vmbr1"}).untellable == {"ens38"}
    new = replace(wanted, interfaces={"vmbr1": Bridge(name="vmbr1"), "ens38": Ethernet(name="ens38")})
    assert expect(before=new, wanted=wanted, touched={"vmbr1"}).untellable == set()


def test_the_flag_of_the_kernels_name_counts_for_the_altname() -> None:
    """Where both are listed."""
    found = expect(before=network(), wanted=network(NIC, VMBR1, BOND), touched={"vmbr1", "bond0", "ens38"})
    links = {"nic1": Link(active=True, altnames=("ens38",)), "vmbr1": Link(active=True), "bond0": Link(active=True)}
    now = Network(interfaces=found.wanted, links={**links, "ens38": Link(altnames=("nic1",))})
    assert judge(found, now).down == ()


LOG = (
    "br0 : error: br0: bridge port dummy0 does not exist ",
    "br0 : warning: br0: apply bridge ports settings: bridge configuration failed (missing ports) ",
    "TASK ERROR: command 'ifreload -a' failed: exit code 1",
)
BR0 = Bridge(name="br0", ports=("dummy0",))


@pytest.mark.parametrize(
    ("touched", "log", "found"),
    [
        ("ens38", LOG, ("br0",)),
        ("ens38", ("error: br0: netlink: cannot set link br0 up", *LOG), ("br0",)),
        ("br0", LOG, ()),
        ("dummy0", LOG, ()),
        ("ens38", ("vmbr1 : error: vmbr1: failed", *LOG), ()),
        ("ens38", ("vmbr1.5 : error: vmbr1.5: failed", *LOG), ()),
        ("ens38", ("error: cmd '/sbin/ip link' failed", *LOG), ()),
        ("ens38", ("gone : error: gone: no such device", *LOG), ()),
        ("ens38", (), ()),
    ],
)
def test_a_failure_is_elsewhere_where_each_error_is_about_what_no_change_is_near(
    touched: str, log: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """Neither what was changed, nor what is beneath it, nor what stands on it, on several floors."""
    vlan = Vlan(name="vmbr1.5", raw_device="vmbr1", tag=5)
    wanted = network(NIC, BOND, VMBR1, vlan, BR0, Ethernet(name="dummy0"))
    expectation = expect(before=wanted, wanted=wanted, touched={touched})
    assert failing_elsewhere(expectation, log) == found


GONE = Network(
    interfaces={
        **network(NIC, BOND, VMBR1).interfaces,
        "vmbr2": Bridge(name="vmbr2", ports=("eno1",)),
        "vmbr3": Bridge(name="vmbr3", ports=("eno1.20", "vlan5")),
        "vmbr4": Bridge(name="vmbr4", ports=("lan0",)),
        "lan0": Other(name="lan0", kind="unknown", autostart=False),
        "vlan5": Vlan(name="vlan5", raw_device="eno2", autostart=True),
    },
    links={"ens38": Link(exists=True)},
)
PORT = "vmbr2 : error: vmbr2: bridge port eno1 does not exist "


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ((PORT,), ("eno1",)),
        (("vmbr3 : error: vmbr3: bridge port eno1.20 does not exist ",), ("eno1",)),
        (("vmbr3 : error: vmbr3: bridge port vlan5 does not exist ", PORT), ("eno1", "vlan5")),
        (("error: rawdevice eno2 not present",), ("eno2",)),
        (("vmbr4 : error: vmbr4: bridge port lan0 does not exist ",), ("lan0",)),
        (("TASK ERROR: command 'ifreload -a' failed: exit code 1",), ("vlan5",)),
        ((PORT, "vmbr1 : error: vmbr1: failed"), ()),
        ((PORT, "error: cmd '/sbin/ip link' failed"), ()),
        (("vmbr2 : error: vmbr2: bridge port eno10 does not exist ",), ()),
    ],
)
def test_going_back_fails_as_before_where_each_error_names_what_was_not_there(
    log: tuple[str, ...], found: tuple[str, ...]
) -> None:
    """NICs that were gone before the change, and their VLANs, of which none is told where it has no NIC."""
    values = {name: (GONE.interfaces[name], replace(GONE.interfaces[name], mtu=9000)) for name in ("vmbr1", "vmbr2")}
    restore = restore_plan(GONE, GONE, values)
    assert failing_as_before(expect_restored(GONE, restore), log) == found


def test_a_way_back_to_nics_that_are_there_fails_for_nothing() -> None:
    """A NIC that the listing had before is to come back with the rest."""
    there = replace(GONE, links={name: Link(exists=True) for name in ("ens38", "eno1", "eno2")})
    named = replace(there, interfaces={**there.interfaces, **{n: Ethernet(name=n) for n in ("eno1", "eno2")}})
    assert failing_as_before(expect_restored(named, restore_plan(named, named, {})), (PORT,)) == ()
    strange = replace(GONE, links={**GONE.links, "lan0": Link(exists=True)})
    log = ("vmbr4 : error: vmbr4: bridge port lan0 does not exist ",)
    assert "lan0" not in failing_as_before(expect_restored(strange, restore_plan(strange, strange, {})), log)
