"""After `renamed` the kernel has what it had before, with the names exchanged, and no other stanza has changed."""

from __future__ import annotations

import shutil
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeTime
from file_replay import files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorder import Recorder, connection, set_nature

from pvenet import errors
from pvenet.apply.renamed import find_renaming
from pvenet.apply.stage import StageOptions, Staging
from pvenet.journal import Journals
from pvenet.model import Ethernet, Network, Other, canonical
from pvenet.nics.names import bare, exchanged, named_anew, users
from pvenet.node import Node
from pvenet.sim import boot
from pvenet.sim.interfaces import Host, parse
from pvenet.sim.interfaces.staging import rewrite
from pvenet.sim.machine.kernel import kernel_of
from pvenet.sim.schema import Refused
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from file_replay import File

    from pvenet.model import Interface
    from pvenet.sim.kernel.value import Kernel

SOURCE = "source /etc/network/interfaces.d/*\n"


class House:
    """A simulated node whose NICs get other names, and a client of it."""

    def __init__(self, folder: Path, nics: Mapping[str, tuple[str, ...]], text: str, *, ovs: bool = False) -> None:
        Sim.init(folder, nics=nics, interfaces=text, ovs=ovs)
        set_nature(folder, reload_seconds=1.0)
        self.time = FakeTime()
        adapter = Recorder(folder, self.time)
        self.sim = adapter.sim
        self.node = Node(connection(adapter, "root@pam!full", "sim", clock=self.time.clock), "pve1")
        self.journals = Journals(folder / ".pvenet", "pve1")

    def kernel(self) -> Kernel:
        node = self.sim.node("pve1")
        return kernel_of(node, node.advance(self.time.now), self.time.now)

    def rename(self, names: Mapping[str, str]) -> None:
        boot.rename(self.sim, "pve1", names, self.time.now)

    def stage(self, names: Mapping[str, str]) -> None:
        """What `pvenet renamed --map` does, lines that a new stanza can't have apart."""
        with Staging(self.node, self.journals) as staging:
            found = find_renaming(self.node, self.journals, staging.network, names, lossless=False)
            assert found is not None
            options = StageOptions(lossy=True, coming=frozenset(found.early))
            staging.stage(found.desired, options)

    def reload(self) -> None:
        self.node.reload()
        self.time.sleep(60)


ORDERED = (
    "active_slave",
    "ad_actor_key",
    "ad_partner_key",
    "ad_aggregator",
    "state",
    "aggregator_id",
    "mac",
    "permaddr",
)
"""What hangs on the order of a bond's slaves, which PVE sorts by their names (pve-api#field-ports)."""


def links(kernel: Kernel, names: Mapping[str, str], *, ordered: bool) -> dict[str, Any]:
    """The links of a kernel by name, with the names exchanged.

    When they were made and what else they are called apart; where slaves come in another order, what hangs on that too.
    """
    without = ("index", "altnames", *(() if ordered else (*ORDERED, "addresses")))
    return {exchanged(link.name, names): _exchanged(link, names, without) for link in kernel.links}


def _exchanged(value: Any, names: Mapping[str, str], without: tuple[str, ...]) -> Any:
    """A value in which every name is the new one."""
    if is_dataclass(value):
        return {
            each.name: _exchanged(getattr(value, each.name), names, without)
            for each in fields(value)
            if each.name not in without
        }
    if isinstance(value, tuple):
        return [_exchanged(each, names, without) for each in value]
    return exchanged(value, names) if isinstance(value, str) else value


def named(network: Network, names: Mapping[str, str]) -> dict[str, Interface]:
    """The interfaces with the names exchanged, as PVE keeps them, without NICs of which the file says nothing."""
    found = {exchanged(name, names): canonical(named_anew(each, names)) for name, each in network.interfaces.items()}
    return {name: each for name, each in found.items() if each != bare(name)}


def unused(network: Network) -> list[str]:
    """The NICs that are there and of which the file says nothing."""
    return [
        name
        for name, each in network.interfaces.items()
        if network.links[name].exists and each == bare(name) and not users(network, name)
    ]


NICS = ("eno1", "eno2", "eno3", "eno4")
NEW = ("enp1s0", "enp2s0", "enp3s0", "enp4s0")
PARTS = {
    "bond": "auto bond0\niface bond0 inet manual\n\tbond-slaves eno2 eno3\n\tbond-mode {mode}\n\tbond-miimon 100\n",
    "bridge": "auto vmbr0\niface vmbr0 inet static\n\taddress 192.0.2.1/24\n\tbridge-ports eno1{tag}\n"
    "\tbridge-stp off\n\tbridge-fd 0\n",
    "above": "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports bond0\n\tbridge-stp off\n\tbridge-fd 0\n"
    "\tbridge-vlan-aware yes\n",
    "dotted": "auto eno4.20\niface eno4.20 inet static\n\taddress 192.0.2.65/26\n",
    "named": "auto vlan30\niface vlan30 inet manual\n\tvlan-raw-device eno4\n",
    "own": "auto eno4\niface eno4 inet static\n\taddress 198.51.100.1/24\n\tmtu 9000\n",
}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Files of a node with four NICs, as PVE has written them."""
    chosen = draw(st.sets(st.sampled_from(sorted(PARTS))))
    chosen |= {"bond"} if "above" in chosen else set()
    mode = draw(st.sampled_from(["balance-rr", "active-backup", "802.3ad"]))
    tag = draw(st.sampled_from(["", ".7"]))
    parts = [PARTS[name].format(mode=mode, tag=tag) for name in PARTS if name in chosen]
    plain = [f"iface {nic} inet manual\n" for nic in NICS if "own" not in chosen or nic != "eno4"]
    return written("\n".join(["auto lo\niface lo inet loopback\n", *plain, *parts, SOURCE]), dict.fromkeys(NICS, ()))


def written(text: str, nics: Mapping[str, tuple[str, ...]], *, ovs: bool = False) -> str:
    """A file after PVE's first write. Raises `Refused`."""
    host = Host(nics=nics, up=frozenset(), ovs=ovs)
    return rewrite(parse(text, host), host)


@st.composite
def renamings(draw: st.DrawFn) -> dict[str, str]:
    """New names, names that go round, or both."""
    pool = draw(st.permutations([*NICS, *NEW]))
    names = {old: new for old, new in zip(NICS, pool, strict=False) if old != new}
    return names or {"eno1": "enp1s0"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts(), names=renamings(), when=st.sampled_from(["before", "after"]))
def test_the_kernel_has_what_it_had(tmp_path: Path, text: str, names: dict[str, str], when: str) -> None:
    """Prepared for the boot or mended after it; and the stanzas are those from before, with the names exchanged."""
    shutil.rmtree(tmp_path / "lab", ignore_errors=True)
    house = House(tmp_path / "lab", dict.fromkeys(NICS, ()), text)
    before, network = house.kernel(), house.node.read().network
    if when == "before":
        house.stage(names)
        house.rename(names)
    else:
        house.rename(names)
        house.stage(names)
        house.reload()
    new = [names.get(name, name) for name in NICS]
    ordered = new == sorted(new)
    then, wanted = (links(*each, ordered=ordered) for each in ((house.kernel(), {}), (before, names)))
    for free in unused(house.node.read().network):  # a reload leaves up what was up and nothing uses any more
        del then[free], wanted[free]
    assert then == wanted
    assert named(house.node.read().network, {}) == named(network, names)


@pytest.mark.parametrize("part", range(4))
def test_files_that_people_could_have_written(tmp_path: Path, told: Callable[[str], None], part: int) -> None:
    """Every NIC is renamed, half of them prepared for it: the stanzas are those from before with the names exchanged.

    But for those that pvenet can't write; what can't be is refused, and nothing of it is staged.
    """
    seen = [*files()][part::28]
    done = [_follows(tmp_path / f"{number}", file, number % 2) for number, file in enumerate(seen)]
    told(f"files whose NICs were renamed: {done.count(True)} of {len(seen)}, {done.count(False)} refused")
    assert done.count(True) > done.count(False)


def _follows(folder: Path, file: File, mode: int) -> bool | None:
    """Whether the file follows; None where PVE refuses whatever is written."""
    nics = dict(file.host.nics)
    try:
        house = House(folder, nics, written(file.text, nics, ovs=file.host.ovs), ovs=file.host.ovs)
    except Refused:
        return None
    network = house.node.read().network
    names = {nic: f"enp{at}s9" for at, nic in enumerate(nics, start=1) if nic in network.interfaces}
    steps = [house.stage, house.rename]
    try:
        for step in reversed(steps) if mode else steps:
            step(names)
    except errors.PvenetError:
        assert house.node.read().changes is None
        return False
    then = house.node.read().network
    assert _written(then, {}) == _written(network, names), file.name
    return True


def _written(network: Network, names: Mapping[str, str]) -> dict[str, Interface]:
    found = named(network, names)
    return {name: each for name, each in found.items() if not isinstance(each, Other | Ethernet)}
