"""Whom a change hits, and whom not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impact_cases import described, known
from plan_model import NICS, network, networks, taken, with_odd_values
from work import calls

from pvenet.impact import Effect, Guest, GuestNic, Known, concerned, elsewhere, hanging, impact
from pvenet.impact.between import between
from pvenet.impact.judge import NOTHING, judge_card
from pvenet.impact.ports import Attachment
from pvenet.model import Bridge, Interface, Network, Vlan
from pvenet.model.walks import downward, upward
from pvenet.plan import management_path

if TYPE_CHECKING:
    from pvenet.impact import GuestImpact

Interfaces = dict[str, Interface]
quick = settings(max_examples=150, derandomize=True, database=None)

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_everybody_fares_as_the_case_says(case: Path) -> None:
    """Each folder of cases holds a network, the one wanted, who hangs on it, and what happens to each."""
    before, after, guests = ((case / name).read_text() for name in ("before", "after", "guests"))
    assert described(impact(network(before), network(after), known(guests))) == (case / "expected").read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_value_that_can_not_be_read_stops_no_frame(case: Path) -> None:
    """What stays as it is has one before and after, and everybody fares as without it."""
    before, after, guests = ((case / name).read_text() for name in ("before", "after", "guests"))
    old, new = network(before), network(after)
    same = [name for name, each in old.interfaces.items() if new.interfaces.get(name) == each]
    found = impact(with_odd_values(old, same), with_odd_values(new, same), known(guests))
    assert described(found) == (case / "expected").read_text()


def test_who_mends_a_value_that_could_not_be_read_recreates_nothing() -> None:
    """The kind stays, and so does the kernel's link."""
    mended = network("eth ens37\neth ens38\nbond bond0 slaves=ens37,ens38 mode=802.3ad\nbridge vmbr1 ports=bond0")
    odd, guests = with_odd_values(mended, ["bond0"]), known("guest 101 web running net0=vmbr1")
    for before, after in ((odd, mended), (mended, odd)):
        assert impact(before, after, guests).hit == ()


# --- properties ------------------------------------------------------------------------------------------------------


def cables(name: str, interfaces: Interfaces) -> set[str]:
    """The NICs beneath an interface, whatever the tags."""
    below = supports(name, interfaces)
    return {nic for each in below for nic in cables(each, interfaces)} if below else {name} & set(NICS)


def supports(name: str, interfaces: Interfaces) -> tuple[str, ...]:
    interface = interfaces.get(name)
    if isinstance(interface, Vlan):
        return (interface.raw_device,) if interface.raw_device else ()
    return taken(interface) if interface else ()


def stack(name: str, interfaces: Interfaces) -> dict[str, Interface | None]:
    """An interface and everything beneath it."""
    found: dict[str, Interface | None] = {name: interfaces.get(name)}
    for each in supports(name, interfaces):
        found |= stack(each, interfaces)
    return found


@st.composite
def changes(draw: st.DrawFn) -> tuple[Interfaces, Interfaces]:
    """A network, and the same with some of its interfaces from another one, or gone."""
    now, other = draw(networks()), draw(networks())
    names = draw(st.sets(st.sampled_from(sorted({*now, *other} - set(NICS)) or ["none"])))
    then = {name: interface for name, interface in now.items() if name not in names}
    return now, then | {name: other[name] for name in names if name in other}


def fate(now: Interfaces, then: Interfaces, tag: int | None) -> dict[str, GuestImpact]:
    """What becomes of a running guest on each bridge."""
    bridges = [name for name, interface in now.items() if isinstance(interface, Bridge)]
    guests = tuple(
        Guest(vmid=100 + number, running=True, nics=(GuestNic(index="net0", bridge=name, tag=tag),))
        for number, name in enumerate(bridges)
    )
    found = impact(Network(interfaces=now), Network(interfaces=then), Known(guests=guests))
    assert found.guests_cut == tuple(sorted(each.guests[0].vmid for each in found.bridges if each.effect is Effect.CUT))
    return {bridge.name: bridge.guests[0] for bridge in found.bridges}


@quick
@given(changes(), st.sampled_from([None, 1, 20]))
def test_whose_bridge_and_uplinks_do_not_change_is_not_hit(
    change: tuple[Interfaces, Interfaces], tag: int | None
) -> None:
    """Whatever else changes on the node, and whatever else of these changes that no frame notices."""
    now, then = change
    for bridge, guest in fate(now, then, tag).items():
        if stack(bridge, now) == stack(bridge, then):
            assert (guest.effect, guest.why) == (Effect.UNTOUCHED, "")


@quick
@given(changes())
def test_who_loses_the_bridge_or_every_cable_is_cut(change: tuple[Interfaces, Interfaces]) -> None:
    """The bridge is no more, is another kind of thing, or reaches none of the NICs that it reached."""
    now, then = change
    for bridge, guest in fate(now, then, None).items():
        had = cables(bridge, now)
        if not isinstance(then.get(bridge), Bridge) or (had and not had & cables(bridge, then)):
            assert guest.effect is Effect.CUT
            assert guest.why


@pytest.mark.parametrize("over", [False, True])
@quick
@given(vids=st.lists(st.integers(2, 40), min_size=1, max_size=5), tag=st.integers(2, 40))
def test_a_tag_is_cut_off_where_it_leaves_the_vids(vids: list[int], tag: int, *, over: bool) -> None:
    """And only there; the same for a bridge on a VLAN of the bridge."""
    upper = f"vlan vmbr1.{tag} raw_device=vmbr1 tag={tag}\nbridge vmbr2 ports=vmbr1.{tag}\n" if over else ""
    text = f"eth ens38\n{upper}bridge vmbr1 ports=ens38 vlan_aware=on vids="
    guest = "guest 101 web running net0=vmbr2" if over else f"guest 101 web running net0=vmbr1 tag={tag}"
    before, after = network(f"{text}2-4094"), network(text + ",".join(map(str, vids)))
    assert impact(before, after, known(guest)).guests_cut == (() if tag in vids else (101,))


def test_what_is_away_in_between_is_made_anew() -> None:
    """A bridge that is equal before and after, and was away meanwhile, has lost its guests."""
    there = network("eth ens38\nbridge vmbr1 ports=ens38")
    guests = known("guest 101 web running net0=vmbr1")
    assert impact(there, there, guests).guests_cut == ()
    assert impact(there, there, guests, remade={"vmbr1"}).guests_cut == (101,)


def test_who_perhaps_runs_is_told_apart() -> None:
    """A guest of which nobody knows whether it runs is cut perhaps; one that is stopped is not among either."""
    found = impact(
        network("bridge vmbr1"),
        network(""),
        known("guest 101 a running net0=vmbr1\nguest 102 b perhaps net0=vmbr1\nguest 103 c stopped net0=vmbr1"),
    )
    assert (found.guests_cut, found.guests_perhaps_cut) == ((101,), (102,))
    assert [guest.effect for bridge in found.hit for guest in bridge.guests] == [Effect.CUT] * 3


def test_nothing_is_concerned_by_what_no_frame_notices() -> None:
    """A comment and an address: then nobody has to be asked for."""
    before = network("eth ens38\nbridge vmbr1 ports=ens38\nbridge vmbr2")
    quiet = network("eth ens38\nbridge vmbr1 ports=ens38 comments=x cidr=10.0.0.1/24\nbridge vmbr2")
    loud = network("eth ens38 mtu=9000\nbridge vmbr1 ports=ens38\nbridge vmbr2")
    assert concerned(before, quiet) == frozenset()
    assert concerned(before, loud) == {"ens38", "vmbr1"}


def test_a_further_port_concerns_nobody() -> None:
    """Of a bridge; a bond takes its members only while they are down, and a port that goes may be the last."""
    before = network("eth ens37\neth ens38\nbond bond0 slaves=ens38\nbridge vmbr1 ports=bond0")
    further = network("eth ens37\neth ens38\nbond bond0 slaves=ens38\nbridge vmbr1 ports=bond0,ens37")
    assert concerned(before, further) == frozenset()
    assert concerned(further, before) == {"vmbr1"}
    assert concerned(before, network("bond bond0 slaves=ens37,ens38\nbridge vmbr1 ports=bond0")) >= {"bond0", "vmbr1"}


def test_an_internal_port_concerns_nobody_but_who_stands_on_it() -> None:
    """Its bridge lists another one then, or one less, and carries its guests as before; an uplink that goes is felt."""
    nic = "ovs-port ens38 bridge=vmbr1"
    stor1, mgmt = (f"ovs-int-port {name} bridge=vmbr1" for name in ("stor1", "mgmt"))
    before = network(f"{nic}\n{mgmt}\n{stor1}\nvlan stor1.5 raw_device=stor1\novs-bridge vmbr1 ports=ens38,mgmt,stor1")
    without = network(f"{nic}\n{mgmt}\novs-bridge vmbr1 ports=ens38,mgmt")
    assert concerned(before, without) == {"stor1", "stor1.5"}
    assert concerned(without, before) == frozenset()
    cut = network(f"eth ens38\n{mgmt}\n{stor1}\nvlan stor1.5 raw_device=stor1\novs-bridge vmbr1 ports=mgmt,stor1")
    assert concerned(before, cut) >= {"vmbr1", "mgmt", "stor1"}


@quick
@given(changes(), st.sampled_from([None, 1, 20]))
def test_whoever_something_happens_to_is_concerned(change: tuple[Interfaces, Interfaces], tag: int | None) -> None:
    """Who is not concerned is not asked about: so none may be missing, whatever becomes of the network."""
    before, after = (Network(interfaces=interfaces) for interfaces in change)
    for name in (name for name, interface in before.interfaces.items() if isinstance(interface, Bridge)):
        card = Attachment(vmid=101, index="net0", bridge=name, tag=tag, running=True)
        assert name in concerned(before, after) or judge_card(card, between(before, after)) == NOTHING


@quick
@given(changes())
def test_what_is_above_has_it_beneath(change: tuple[Interfaces, Interfaces]) -> None:
    """Up leads to those from which down leads back, and to nobody else."""
    for there in (Network(interfaces=interfaces) for interfaces in change):
        for name in there.interfaces:
            below = {other for other in there.interfaces if name in downward([other], there)}
            assert upward([name], there) == below


def test_who_hangs_where_nothing_happens_is_elsewhere() -> None:
    """Only on bridges of the file: what a vnet stands on is looked at first."""
    before = network("eth ens38\nbridge vmbr1 ports=ens38\nbridge vmbr2")
    there = known(
        "port vmbr1 tap101i0\nport vmbr2 veth102i1\nlink bridge vnet1\nlink tun tap103i0 master=vnet1\n"
        "link veth fwpr104p0 master=vmbr2\nlink tun tap104i0 master=fwbr104i0"
    )
    on_vmbr2 = {(102, "net1"), (104, "net0")}
    assert elsewhere(there, before, {"ens38", "vmbr1"}) == on_vmbr2
    assert hanging(there, before.interfaces) == {
        (101, "net0"): "vmbr1",
        (103, "net0"): "vnet1",
        **dict.fromkeys(on_vmbr2, "vmbr2"),
    }


def test_the_management_path_is_shown_from_the_cable_up() -> None:
    """As a person draws it, with the address at its end."""
    there = network(
        "bond bond0 slaves=ens33,ens34\nbridge vmbr0 ports=bond0\nvlan vmbr0.10 raw_device=vmbr0 cidr=192.0.2.11/24"
    )
    found = impact(there, there, Known(), path=management_path(there, {"192.0.2.11"})).path
    assert found is not None
    assert found.carrier == "vmbr0.10"
    assert found.chain == "ens33+ens34 > bond0 > vmbr0 > vmbr0.10 > 192.0.2.11"


def test_a_vlan_that_fares_like_its_neighbour_is_looked_at_once() -> None:
    """Hundreds of guests that are offered every VLAN cost about what guests in one VLAN do."""
    before = network("eth ens38\nbridge vmbr1 ports=ens38 vlan_aware=on vids=2-4094")
    after = network("eth ens38\nbridge vmbr1 ports=ens38 vlan_aware=on vids=2-100")

    def work(vlans: str) -> int:
        guests = known("\n".join(f"port vmbr1 tap{number}i0 pvid=1 vlans={vlans}" for number in range(100, 200)))
        return calls(lambda: impact(before, after, guests))

    assert work("2-4094") < 4 * work("30")
