"""What the simulated node claims of `ifreload`, held against the one in the nested VM: exit code, log, links.

The rows are those of pve-api#ifreload; more of them, recorded, are in fixtures/ifupdown2.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from live import BEFORE, LIVE, Target

from pvenet.sim.machine.conformance import claimed, differences, seen
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.releases import RELEASES

PATIENCE = 60.0
BOND = "auto {0}\niface {0} inet manual\n\tbond-slaves {1}\n\tbond-miimon 100\n\tbond-mode {2}\n"
BRIDGE = "auto {0}\niface {0} inet {2}\n{3}\tbridge-ports {1}\n\tbridge-stp off\n\tbridge-fd 0\n"
ROWS = {
    "well": BOND.format("bond0", "FIRST SECOND", "balance-rr") + BRIDGE.format("vmbr1", "bond0", "manual", ""),
    "slave-missing": BOND.format("bond0", "FIRST ens99", "active-backup"),
    "all-slaves-missing": BOND.format("bond0", "ens98 ens99", "active-backup"),
    "unknown-mode": BOND.format("bond0", "FIRST SECOND", "nonsense"),
    "bad-address": BRIDGE.format("vmbr1", "FIRST", "static", "\taddress 10.300.1.1/24\n"),
    "unknown-attribute": BRIDGE.format("vmbr1", "FIRST", "manual", "\tno-such-thing 1\n"),
    "one-address-twice": BRIDGE.format("vmbr1", "FIRST", "static", "\taddress 10.99.1.1/24\n")
    + BRIDGE.format("vmbr2", "SECOND", "static", "\taddress 10.99.1.1/24\n"),
    "bridge-port-missing": BRIDGE.format("vmbr1", "ens77", "manual", ""),
    "slave-is-a-port": BRIDGE.format("vmbr1", "FIRST", "manual", "") + BOND.format("bond0", "FIRST SECOND", "802.3ad"),
    "slave-in-two-bonds": BOND.format("bond0", "FIRST SECOND", "802.3ad")
    + BOND.format("bond1", "SECOND THIRD", "balance-rr"),
    "no-stanza": "this is no stanza\n",
    "vlan-raw-missing": "auto ens77.5\niface ens77.5 inet manual\n",
    "failing-pre-up": BRIDGE.format("vmbr1", "FIRST", "manual", "\tpre-up /bin/false\n"),
}


@pytest.fixture
def vm(target: Target) -> Target:
    if target.kind != "debian":
        pytest.skip(f"{target.kind}: no ifupdown2 of a known release and no shell beside it")
    return target


def machine(links: str) -> Machine:
    """The machine as its kernel has it, told by `ip -d -j link`."""
    by_name = {link["ifname"]: link for link in json.loads(links)}
    nics = {name: () for name in by_name if name.startswith("ens") and "." not in name}
    up = frozenset(name for name, link in by_name.items() if "UP" in link["flags"])
    slaves = {name: link["master"] for name, link in by_name.items() if link.get("master", "").startswith("bond")}
    return Machine(nics=nics, up=up, made=by_name.keys() - {*nics, "lo"}, slaves=slaves)


def reload(vm: Target) -> tuple[str, list[str]]:
    """Reload what is pending, through the API; the task's exit status and its log."""
    node = f"nodes/{vm.settings['PVENET_NODE']}"
    upid = quote(vm.http("PUT", f"{node}/network").json()["data"], safe="")
    deadline = time.monotonic() + PATIENCE
    while (found := data(vm, f"{node}/tasks/{upid}/status"))["status"] == "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    return found["exitstatus"], [line["t"] for line in data(vm, f"{node}/tasks/{upid}/log")]


def data(vm: Target, path: str) -> Any:
    return vm.http("GET", path).json()["data"]


@pytest.mark.parametrize("row", ROWS)
def test_a_reload_is_as_the_sim_claims(vm: Target, row: str) -> None:
    """A real reload of a file, good or bad, ends, says and leaves behind what the simulated node would."""
    first, second, third = vm.nics[:3]
    stanzas = ROWS[row].replace("FIRST", first).replace("SECOND", second).replace("THIRD", third)
    # As few commands as can be: each takes an emulated machine a second or two.
    wrote = f"set -e; (cat {BEFORE}; echo; cat <<'END'\n{stanzas}END\n) > {LIVE}.new; ip -d -j link; cat {LIVE}.new"
    links, text = vm.shell(wrote).split("\n", 1)
    before = machine(links)
    try:
        status, log = reload(vm)
    finally:
        back = f"rm -f {LIVE}.new; cp {BEFORE} {LIVE} && ifreload -a > /dev/null 2>&1"
        after = machine(vm.shell(f"ip -d -j link; {back}", patience=120.0))
    there = {*before.made, *before.nics, "lo"}
    real = seen(status, log, before=there, after={*after.made, *after.nics, "lo"}, up=after.up)
    assert list(differences(claimed(before, text, RELEASES["3.0.0"]), real)) == []
