"""Open vSwitch through the command line, on a simulated node that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recorded import load
from recorder import set_nature

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

LIVE = ("apply", "--yes", "--allow-management")


@pytest.fixture
def ovs_lab(lab: Path) -> Path:
    """The simulated node with Open vSwitch installed."""
    set_nature(lab, ovs=True)
    return lab


def stanzas(file: str) -> dict[str, set[str]]:
    """The stanzas of a file by their first line, the words of `ovs_options` in no order: PVE shuffles them."""
    found = {}
    for block in file.split("\n\n"):
        head, *lines = [line for line in block.splitlines() if not line.startswith("auto ")] or [""]
        found[head] = {
            " ".join(sorted(line.split())) if line.strip().startswith("ovs_options") else line for line in lines
        }
    return found


def recorded_switch() -> str:
    """What a real node wrote of a bridge with a bond and an internal port, before anything else was changed."""
    walk = next(walk for walk in load("walks-ovs.jsonl") if walk["initial_name"] == "ovs-bonded")
    return str(next(step["new"] for step in walk["steps"] if step["new"]))


@pytest.mark.usefixtures("ovs_lab")
def test_a_switch_is_built_as_a_real_node_writes_it_and_taken_down_again(run: Run, interfaces: Path) -> None:
    """A bridge, a bond and a tagged internal port; the node's address moves onto the port, and back."""
    before = stanzas(interfaces.read_text())
    fast = "--mtu 9000 --options other_config:lacp-time=fast"
    for words in (
        "ovs-bridge create vmbr6 --mtu 9000",
        f"ovs-bond create bond1 --bridge vmbr6 --slaves ens38,ens39 --mode lacp-balance-tcp {fast}",
        "ovs-port create stor1 --bridge vmbr6 --tag 60 --cidr 10.60.0.2/24 --comments storage",
    ):
        assert run(*words.split()).code == 0, words
    assert run(*LIVE).code == 0
    built, real = stanzas(interfaces.read_text()), stanzas(recorded_switch())
    for head in ("iface vmbr6 inet manual", "iface bond1 inet manual", "iface stor1 inet static"):
        assert built[head] == real[head]

    run("bridge", "set", "vmbr0", "--clear", "cidr,gateway")
    run("ovs-port", "create", "mgmt0", "--bridge", "vmbr6", "--tag", "50", "--cidr", "192.168.171.21/24")
    run("ovs-port", "set", "mgmt0", "--gateway", "192.168.171.2")
    ran = run("apply", "--yes")
    assert ran.code == 7
    assert "vmbr0 carries the node's address" in ran.err
    assert run(*LIVE).code == 0
    data = run("show", "mgmt0", "--json").data
    assert (data["type"], data["bridge"], data["tag"], data["active"]) == ("OVSIntPort", "vmbr6", 50, True)
    assert run("show", "vmbr6", "--json").data["ports"] == ["bond1", "stor1", "mgmt0"]

    for line in (
        "ovs-port delete mgmt0",
        "ovs-port delete stor1",
        "ovs-bond delete bond1",
        "ovs-bridge delete vmbr6",
        "bridge set vmbr0 --cidr 192.168.171.21/24 --gateway 192.168.171.2",
    ):
        assert run(*line.split()).code == 0, line
    assert run(*LIVE).code == 0
    after = stanzas(interfaces.read_text())
    assert {head for head in after if head.startswith("iface")} == {head for head in before if "iface" in head}
    assert "ovs" not in interfaces.read_text()


INTERNAL_PORTS = """\
auto eno1
iface eno1 inet manual

auto eno2
iface eno2 inet manual

auto bond0
iface bond0 inet manual
\tovs_bridge vmbr0
\tovs_type OVSBond
\tovs_bonds eno1 eno2
\tovs_options bond_mode=balance-tcp lacp=active

auto vmbr0
iface vmbr0 inet manual
\tovs_type OVSBridge
\tovs_ports bond0 mgmt storage50

auto mgmt
iface mgmt inet static
\taddress 192.0.2.11/24
\tgateway 192.0.2.1
\tovs_type OVSIntPort
\tovs_bridge vmbr0
\tovs_options tag=10

auto storage50
iface storage50 inet static
\taddress 10.0.50.11/24
\tovs_type OVSIntPort
\tovs_bridge vmbr0
\tovs_options tag=50
"""
BY_THE_PORT = "eno1+eno2 > bond0 > vmbr0 > mgmt > 192.0.2.11 (mgmt carries the node's address 192.0.2.11)"


@pytest.fixture
def internal_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node that has its address on an internal port, beside another one, over an OVS bond."""
    folder = tmp_path / "internal"
    Sim.init(folder, nics=["eno1", "eno2", "eno3"], interfaces=INTERNAL_PORTS, ovs=True)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


@pytest.mark.usefixtures("internal_ports")
@pytest.mark.parametrize(
    "words",
    ["ovs-port delete storage50", "ovs-port create vlan99 --bridge vmbr0 --tag 99", "ovs-port set storage50 --tag 51"],
)
def test_staging_an_internal_port_warns_of_no_way_that_is_not_its_own(run: Run, words: str) -> None:
    """The management path is the port that has the address, its bridge, and what leads out of that."""
    ran = run(*words.split())
    assert ran.code == 0
    assert "the management path" not in ran.err


@pytest.mark.usefixtures("internal_ports")
@pytest.mark.parametrize(
    ("words", "does"),
    [
        ("ovs-port delete mgmt", "cuts"),
        ("ovs-bond delete bond0", "cuts"),
        ("ovs-bond set bond0 --slaves eno1", "narrows"),
        ("ovs-bridge set vmbr0 --mtu 9000", "touches"),
    ],
)
def test_what_is_done_to_the_way_through_a_switch_is_said(run: Run, words: str, does: str) -> None:
    """Also where another internal port has gone before it."""
    assert run("ovs-port", "delete", "storage50").code == 0
    assert f"this {does} the management path of pve1: {BY_THE_PORT}" in run(*words.split()).err
    assert run("apply", "--yes").code == 7


@pytest.mark.usefixtures("internal_ports")
def test_an_internal_port_comes_and_goes_without_a_word_of_the_way_of_another(run: Run) -> None:
    """Who has to allow the management path each time a storage port goes allows it unread when it matters."""
    for words in (
        "ovs-port create vlan99 --bridge vmbr0 --tag 99",
        "ovs-port delete vlan99",
        "ovs-port delete storage50",
    ):
        assert run(*words.split()).code == 0, words
        ran = run("apply", "--yes")
        assert (ran.code, "the management path" in ran.err) == (0, False), words


@pytest.mark.usefixtures("ovs_lab")
def test_a_nic_comes_and_goes_by_the_list_of_its_bridge(run: Run) -> None:
    """It is set by `ovs-port set`, says what it loses when it goes, and is a NIC again."""
    assert run("ovs-bridge", "create", "--ports", "ens40,ens41").code == 0
    assert run("ovs-port", "set", "ens40", "--tag", "7", "--options", "vlan_mode=access", "--mtu", "1400").code == 0
    data = run("show", "ens40", "--json").data
    assert data | {"type": "OVSPort", "bridge": "vmbr1", "tag": 7, "ovs_options": "vlan_mode=access"} == data
    ran = run("ovs-bridge", "set", "vmbr1", "--ports", "ens41")
    assert ran.code == 0
    assert "warning: ens40 becomes a plain NIC" in ran.err
    assert "mtu 1400, tag 7, options vlan_mode=access" in ran.err
    assert run("show", "ens40", "--json").data["type"] == "eth"


@pytest.mark.usefixtures("ovs_lab")
def test_a_port_moves_to_another_bridge_with_all_that_it_has(run: Run) -> None:
    """By deletion and creation, for PVE knows no other way."""
    run("ovs-bridge", "create", "vmbr5")
    run("ovs-bridge", "create", "vmbr6")
    run("ovs-port", "create", "stor1", "--bridge", "vmbr5", "--tag", "60", "--cidr", "10.60.0.2/24")
    data = run("ovs-port", "set", "stor1", "--bridge", "vmbr6", "--json").data
    assert [step["action"] for step in data["steps"]] == ["delete", "create"]
    port = run("show", "stor1", "--json").data
    assert (port["bridge"], port["tag"], port["cidr"]) == ("vmbr6", 60, "10.60.0.2/24")
    assert run("show", "vmbr5", "--json").data["ports"] == []


@pytest.mark.usefixtures("lab")
def test_without_open_vswitch_pve_refuses(run: Run, staged: Path) -> None:
    """Exit 4, in PVE's words, and nothing is staged."""
    ran = run("ovs-bridge", "create", "--ports", "ens40")
    assert ran.code == 4
    assert "openvswitch-switch" in ran.err
    assert not staged.exists()


BAD = (
    (2, "an OVS port needs a name", "ovs-port create --bridge vmbr1"),
    (2, "balance-rr", "ovs-bond create --bridge vmbr1 --mode balance-rr"),
    (2, "--cidr", "ovs-bond create --bridge vmbr1 --cidr 10.0.0.2/24"),
    (3, "needs an OVS bridge", "ovs-bond create --slaves ens38"),
    (3, "bridge vmbr9 of mgmt0 does not exist", "ovs-port create mgmt0 --bridge vmbr9"),
    (3, "not an OVS bridge", "ovs-port create mgmt0 --bridge vmbr0"),
    (3, "vmbr0 on pve1 is a bridge, not an OVS bridge", "ovs-bridge set vmbr0 --mtu 1400"),
    (3, "use `pvenet eth ...`", "ovs-port set ens40 --tag 7"),
    (3, "use `pvenet ovs-bridge ...`", "bridge delete vmbr1"),
    (3, "take it out of the bridge with `pvenet ovs-bridge set vmbr1 --ports ...`", "ovs-port delete ens41"),
    (3, "use `pvenet ovs-port ...`", "eth set ens41 --mtu 1400"),
    (3, "change it with `pvenet ovs-bridge set vmbr1`", "ovs-bridge create vmbr1"),
)


@pytest.mark.usefixtures("ovs_lab")
@pytest.mark.parametrize(("code", "said", "line"), BAD, ids=[line for _, _, line in BAD])
def test_bad_input_is_one_clear_error(code: int, said: str, line: str, run: Run) -> None:
    """The right exit code, and a message or a hint that names the way."""
    run("ovs-bridge", "create", "vmbr1", "--ports", "ens41")
    ran = run(*line.split())
    assert ran.code == code
    assert said in ran.err
    assert "Traceback" not in ran.err
