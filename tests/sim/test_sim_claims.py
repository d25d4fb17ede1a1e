"""What the sim claims of `ifreload`, held against what real ones did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sim_replay import FIXTURES

from pvenet.sim.machine.conformance import Reload, claimed, differences, seen
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.releases import RELEASES

if TYPE_CHECKING:
    from collections.abc import Iterator

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
RECORDED = FIXTURES / "ifupdown2" / "3.0.0.jsonl"
CIRCLES = {"circle"}
"""What becomes of a circle of links is not modelled."""
START = "auto lo\niface lo inet loopback\n\nauto vmbr0\niface vmbr0 inet manual\n\tbridge-ports ens33\n"


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield f"{entry['name']}-{entry['step']}", entry


def _up(links: dict[str, bool]) -> frozenset[str]:
    return frozenset(name for name, up in links.items() if up)


@pytest.mark.parametrize("entry", [entry for _, entry in recorded()], ids=[name for name, _ in recorded()])
def test_claims_of_debians_release(entry: dict[str, Any]) -> None:
    """Exit code, log and links are those of ifupdown2 3.0.0 over a real kernel."""
    before, after = entry["before"], entry["after"]
    machine = Machine(nics=dict.fromkeys(NICS, ()), up=_up(before), made=before.keys() - {*NICS, "lo"})
    machine = machine.but(slaves={slave: bond for slave, bond in entry["masters_before"].items() if "bond" in bond})
    real = seen(entry["exitstatus"], entry["log"], before=before.keys(), after=after.keys(), up=_up(after))
    claim = claimed(machine, entry["file"], RELEASES["3.0.0"])
    found = list(differences(claim, real))
    if entry["name"] in CIRCLES:
        assert not any(text.startswith("exit code") for text in found)
    else:
        assert found == []


NO_SLAVE = "bond0 : error: bond0: skipping slave ens99, does not exist"
STRANGER = "ens99 : warning: ens99: interface not recognized - please check interface configuration"
NO_PORT = "vmbr1 : error: vmbr1: bridge port ens77 does not exist"
PORTS = "vmbr1 : warning: vmbr1: apply bridge ports settings: bridge configuration failed (missing ports)"
TAKEN = "bond0 : error: bond0: sub interfaces are not allowed on bond slave: ens33 (vmbr0)"
NO_ADDRESS = (
    "convert string ip address into IPNetwork object: '10.300.1.1' does not appear to be an IPv4 or IPv6 address"
)
ROWS: dict[str, dict[str, tuple[int, list[str]]]] = {
    "auto bond0\niface bond0 inet manual\n\tbond-slaves ens38 ens99\n": {
        "3.3.0": (1, [NO_SLAVE]),
        "3.0.0": (0, [NO_SLAVE, STRANGER]),
    },
    "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports ens77\n": {
        "3.3.0": (1, [NO_PORT, PORTS]),
        "3.0.0": (1, [NO_PORT]),
    },
    "auto bond0\niface bond0 inet manual\n\tbond-slaves ens38\n\tbond-mode nonsense\n": {
        "3.3.0": (0, ["bond0 : warning: bond0: invalid bond-mode value nonsense"]),
        "3.0.0": (0, ["bond0 : warning: bond0: invalid bond-mode value nonsense"]),
    },
    "auto bond0\niface bond0 inet manual\n\tbond-slaves ens33\n": {"3.3.0": (1, [TAKEN]), "3.0.0": (1, [])},
    "auto ens77.5\niface ens77.5 inet manual\n": {"3.3.0": (1, []), "3.0.0": (1, [])},
    "auto vmbr1\niface vmbr1 inet static\n\taddress 10.300.1.1/24\n\tbridge-ports none\n": {
        "3.3.0": (1, [f"vmbr1 : error: vmbr1: {NO_ADDRESS}"]),
        "3.0.0": (0, [f"vmbr1 : warning: vmbr1: {NO_ADDRESS}"]),
    },
}
"""The table of pve-api#ifreload-3.3.0."""


@pytest.mark.parametrize("release", ["3.3.0", "3.0.0"])
@pytest.mark.parametrize("stanzas", ROWS)
def test_where_the_releases_differ(stanzas: str, release: str) -> None:
    """What a bad file comes to depends on the release of ifupdown2."""
    claim = claimed(Machine.fresh(NICS, START), START + stanzas, RELEASES[release])
    assert (claim.exit_code, list(claim.log)) == ROWS[stanzas][release]


BOND = "auto bond0\niface bond0 inet manual\n\tbond-slaves ens38 ens39\n"
STARTED = "auto ens38\nauto ens39\n"


@pytest.mark.parametrize(
    ("before", "after", "pves", "debians"),
    [
        (BOND, "", set(), set()),
        (STARTED + BOND, STARTED, {"ens38", "ens39"}, {"ens38", "ens39"}),
        (BOND, BOND.replace(" ens39", ""), {"ens38"}, {"ens38"}),
        (STARTED + BOND, STARTED + BOND.replace(" ens39", ""), {"ens38", "ens39"}, {"ens38"}),
    ],
    ids=["deleted", "deleted, with auto", "left", "left, with auto"],
)
def test_slaves_that_a_bond_lets_go(before: str, after: str, pves: set[str], debians: set[str]) -> None:
    """The kernel takes them down; `auto` brings them up again, in Debian's release not at once while the bond lives."""
    machine = Machine.fresh(NICS, START + before)
    for release, wanted in (("3.3.0", pves), ("3.0.0", debians)):
        assert claimed(machine, START + after, RELEASES[release]).up - {"lo", "ens33", "vmbr0", "bond0"} == wanted
        settled = machine.but(up=frozenset(wanted), slaves={})
        again = claimed(settled, START + after, RELEASES[release]).up
        assert again >= pves


def test_what_a_machine_did_is_told_from_a_claim() -> None:
    """Each thing that differs is a sentence; what agrees is none."""
    claim = claimed(Machine.fresh(NICS, START), START.replace("vmbr0", "vmbr1"))
    assert claim == Reload(exit_code=0, log=(), up=frozenset({"lo", "ens33", "vmbr1"}), gone=frozenset({"vmbr0"}))
    log = ["vmbr1 : warning: vmbr1: something ", "TASK ERROR: command 'ifreload -a' failed: exit code 1"]
    status = "command 'ifreload -a' failed: exit code 1"
    real = seen(status, log, before={"lo", "vmbr0"}, after={"lo", "vmbr0"}, up={"lo", "vmbr0"})
    assert list(differences(claim, claim)) == []
    assert list(differences(claim, real)) == [
        "exit code 1, claimed 0",
        "not claimed: vmbr1 : warning: vmbr1: something",
        "claimed to be up: ens33, vmbr1",
        "up, and not claimed: vmbr0",
        "claimed to be gone: vmbr0",
    ]
    assert list(differences(real, claim))[1] == "claimed, and not said: vmbr1 : warning: vmbr1: something"


def test_a_task_that_was_interrupted_proves_nothing() -> None:
    """Only a command that ended by itself has an exit code."""
    with pytest.raises(ValueError, match="no exit code in: unexpected status"):
        seen("unexpected status", [], before=set(), after=set(), up=set())
