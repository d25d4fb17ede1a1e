"""Plans between networks that the simulated node itself let happen, in ways that pvenet would not think of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from plan_sim import FileOf
from recorded import STARTS
from replay import HOST

from pvenet import wire
from pvenet.changes import Change, Create, Delete, Desired, Update
from pvenet.model import Interface, Network, Other, beneath, canonical, kind_of
from pvenet.plan import inverse, plan, problems
from pvenet.sim import interfaces as sim
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

Call = tuple[str, str, dict[str, Any]]
"""A request to the node: its method, the interface, the form."""

BEGINNINGS = tuple(sorted(STARTS.keys() - {"ovs", "ovs-old", "ovs-bonded"}))
"""What Open vSwitch couples has tests of its own."""
NAMES = {
    "bond": ("bond0", "bond1", "bond2"),
    "bridge": ("vmbr0", "vmbr1", "vmbr2", "storage_br"),
    "vlan": ("ens40.7", "bond0.20", "bond1.20", "vmbr0.5", "vmbr1.5", "vlan30", "storage"),
    "eth": tuple(HOST.nics),
}
LINKS = (*HOST.nics, "bond0", "bond1", "ens40.7", "bond0.20")
MODES = ("balance-rr", "active-backup", "802.3ad", "balance-xor")

quick = settings(max_examples=150, derandomize=True, database=None)

seen = FileOf(HOST).seen


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A request that makes some sense by itself; whether it does where it is sent, the node says."""
    kind = draw(st.sampled_from(tuple(NAMES)))
    name = draw(st.sampled_from(NAMES[kind]))
    if draw(st.integers(0, 4)) == 0:
        return "DELETE", name, {}
    form: dict[str, Any] = {"type": kind} | draw(st.fixed_dictionaries({}, optional=COMMON)) | draw(OWN[kind])
    if "." in name or kind != "vlan":
        form = {key: value for key, value in form.items() if not key.startswith("vlan-")}
    return "PUT", name, form


def words(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(names), max_size=3, unique=True).map(" ".join)


COMMON: dict[str, st.SearchStrategy[Any]] = {
    "cidr": st.sampled_from([f"10.0.{net}.2/24" for net in range(4)]),
    "cidr6": st.sampled_from([f"fd00:{net}::2/64" for net in range(3)]),
    "gateway": st.sampled_from(["10.0.0.1", "10.0.1.1"]),
    "gateway6": st.just("fe80::1"),
    "mtu": st.sampled_from([1400, 1500, 9000]),
    "comments": st.sampled_from(["one", "one\ntwo"]),
    "autostart": st.sampled_from([0, 1]),
    "delete": st.sampled_from(["mtu", "cidr,gateway", "cidr6,gateway6", "gateway", "comments", "bridge_vlan_aware"]),
}
OWN: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "eth": st.just({}),
    "bond": st.fixed_dictionaries(
        {},
        optional={
            "slaves": words((*HOST.nics, "bond1")),
            "bond_mode": st.sampled_from(MODES),
            "bond-primary": st.sampled_from(["ens38", "ens39"]),
            "bond_xmit_hash_policy": st.sampled_from(["layer2", "layer3+4"]),
        },
    ),
    "bridge": st.fixed_dictionaries(
        {}, optional={"bridge_ports": words(LINKS), "bridge_vlan_aware": st.just(1), "bridge_vids": st.just("2-99 200")}
    ),
    "vlan": st.fixed_dictionaries(
        {"vlan-raw-device": st.sampled_from(LINKS[:8]), "vlan-id": st.sampled_from([30, 40])},
    ),
}


def answered(file: str, call: Call) -> str:
    """The file after a request: made where it is not there, changed where it is. Raises Refused."""
    method, name, form = call
    parsed = sim.parse(file, HOST)
    there = parsed.interfaces.get(name)
    if method == "DELETE":
        return sim.delete(parsed, name, HOST)
    if there is None:
        form = {key: value for key, value in form.items() if key != "delete"}
        return sim.create(parsed, {"iface": name, **form}, HOST)
    return sim.update(parsed, name, form, HOST)


def happened(file: str, asked: Iterable[Call]) -> str:
    """The file after those requests that the node accepts."""
    for call in asked:
        try:
            file = answered(file, call)
        except Refused:
            continue
    return file


def carried_out(file: str, steps: Iterable[Change], *, foreseen: bool) -> str | None:
    """The file after some steps; None where one is refused that pvenet would not have sent.

    That is an update that can't send again what is there, and any step where problems were foreseen: an address that
    was left behind in a manual stanza is no value of its own, and PVE minds it less than the same address set.
    """
    for step in steps:
        match step:
            case Create(after=after):
                call: Call = ("PUT", step.name, wire.create_form(after))
                assert step.name not in sim.parse(file, HOST).interfaces
                call[2].pop("iface")
            case Update(before=before, after=after):
                call = ("PUT", step.name, wire.update_form(before, after))
            case Delete():
                call = ("DELETE", step.name, {})
        try:
            file = answered(file, call)
        except Refused:
            if foreseen or (isinstance(step, Update) and wire.losses(step.before, step.after)):
                return None
            raise
    return file


def wrong(now: Network, desired: Desired) -> bool:
    """Whether pvenet would refuse it."""
    return any(not problem.warning for problem in problems(now, desired))


def started(interfaces: dict[str, Interface]) -> dict[str, Interface]:
    """The interfaces as PVE keeps them, the slaves of bonds with the `auto` that it gives them."""
    slaves = {name for each in interfaces.values() if kind_of(each) == "bond" for name in beneath(each)}
    return {
        name: replace(canonical(each), autostart=each.autostart or name in slaves) for name, each in interfaces.items()
    }


PORT_WITHOUT_STANZA: Call = ("PUT", "vmbr0", {"type": "bridge", "cidr": "10.0.0.2/24", "bridge_ports": "ens33 ens40.7"})
ADDRESSED: Call = ("PUT", "ens40.7", {"type": "vlan", "cidr": "10.0.0.2/24"})


@quick
@example("alias", [PORT_WITHOUT_STANZA], [ADDRESSED])
@given(st.sampled_from(BEGINNINGS), st.lists(calls(), max_size=12), st.lists(calls(), max_size=12))
def test_whatever_a_node_let_happen_is_planned_there_and_back(name: str, first: list[Call], second: list[Call]) -> None:
    """Every step is accepted in order, leads to what is desired, leaves nothing to do, and is undone or said not to."""
    sendable = STARTS[name].replace("2001:db8:", "2001:4860:")  # PVE takes no address for documentation from a request
    beginning = sim.rewrite(sim.parse(sendable, HOST), HOST)
    start = happened(beginning, first)
    now, then = seen(start), seen(happened(beginning, second))
    desired = towards(now, then)
    steps = plan(now, desired)
    there = carried_out(start, steps.steps, foreseen=wrong(now, desired))
    if there is None:
        return
    wanted = {name: each for name, each in {**now.interfaces, **desired}.items() if each}
    assert started(dict(seen(there).interfaces)) == started(wanted)
    assert not plan(seen(there), desired)
    restore = inverse(steps, now)
    restored = carried_out(there, restore.plan.steps, foreseen=wrong(seen(there), towards(seen(there), now)))
    if restored is not None:
        lost = {loss.name for loss in restore.lost}
        assert without(lost, seen(restored)) == without(lost, now)


def towards(now: Network, then: Network) -> dict[str, Interface | None]:
    """All of the difference that pvenet models."""
    names = now.interfaces.keys() | then.interfaces.keys()
    desired = {name: then.interfaces.get(name) for name in names}
    return {name: each for name, each in desired.items() if not isinstance(each or now.interfaces[name], Other)}


def without(names: set[str], network: Network) -> dict[str, Interface]:
    return {name: each for name, each in started(dict(network.interfaces)).items() if name not in names}
