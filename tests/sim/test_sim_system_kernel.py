"""In system mode report and bridges call say what the machine's own commands say; here programs that pretend."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from kernel_moments import MOMENTS, text
from paths import FIXTURES
from sim_client import Client
from sim_replay import comparable

from pvenet.sim.system import Place, open_system
from pvenet.sim.system.kernel import Kernel

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = "active-backup-vlan-aware"
BRIDGES = "/nodes/pve1/sdn/zones/localnetwork/bridges"
IP = """#!/bin/sh
case "$*" in
    *-json*) exec cat {moment}/ip-link.json ;;
    *statistics*) exec cat {moment}/ip-6.15.txt ;;
    *-4*) exec cat {moment}/route4.txt ;;
    *-6*) exec cat {moment}/route6.txt ;;
esac
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A machine that is as in a recorded moment."""
    program(tmp_path, "ip", IP.format(moment=MOMENTS / SCENARIO))
    program(tmp_path, "bridge", f"#!/bin/sh\nexec cat {MOMENTS / SCENARIO}/vlan.txt\n")
    program(tmp_path, "ethtool", '#!/bin/sh\necho "Settings for $1:"\n')
    program(tmp_path, "ifreload", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    network = tmp_path / "network"
    (network / "interfaces.d").mkdir(parents=True)
    (network / "interfaces").write_text(text(SCENARIO, "interfaces.txt"))
    (network / "interfaces.d" / "sdn").write_text("#version:1\n")
    (tmp_path / "may-break").touch()
    for nic in ("ens33", "ens38"):
        (tmp_path / "net" / nic / "device").mkdir(parents=True)
        (tmp_path / "net" / nic / "flags").write_text("0x1003\n")
        (tmp_path / "net" / nic / "ifindex").write_text("2\n")
    place = Place(network=network, may_break=tmp_path / "may-break", kernel=Kernel(folder=tmp_path / "net"), user=0)
    return Client(open_system(tmp_path / "node", node="pve1", place=place))


def program(folder: Path, name: str, lines: str) -> None:
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(lines)
    (folder / "bin" / name).chmod(0o755)


def test_bridges_are_those_of_ip_and_bridge(client: Client) -> None:
    """What the two commands say in JSON becomes what PVE answered in the same moment."""
    lines = (FIXTURES / "kernel" / "bridges.jsonl").read_text().splitlines()
    recorded = next(data for line in lines if (data := json.loads(line))["name"].startswith("K2-vm-bonds-001"))
    assert comparable(client.ask("GET", BRIDGES).json()) == comparable(recorded["response"]["json"])


def test_a_report_holds_what_the_commands_print(client: Client) -> None:
    """As it comes, between the lines that PVE writes; the files are the machine's own, applied and sourced."""
    told = client.ask("GET", "/nodes/pve1/report").json()["data"]
    start, end = told.index("\n==== info about network ===="), told.index("\n==== info about firewall ====")
    addresses, four, six = (text(SCENARIO, name) for name in ("ip-6.15.txt", "route4.txt", "route6.txt"))
    files = text(SCENARIO, "interfaces.txt"), "\n# cat /etc/network/interfaces.d/sdn\n#version:1\n\n"
    sdn = "\n# cat /etc/pve/sdn/.running-config\ncat: /etc/pve/sdn/.running-config: No such file or directory\n"
    assert told[start:end] == (
        f"\n==== info about network ====\n\n# ip -details -statistics address\n{addresses}"
        f"\n# ip -details -4 route show\n{four}\n# ip -details -6 route show\n{six}"
        f"\n# cat /etc/network/interfaces\n{files[0]}# output '/etc/network/interfaces.d/.*' file(s)\n{files[1]}{sdn}"
        "# output '/etc/pve/sdn/.+\\.cfg' file(s)\n# output '/etc/pve/sdn/.+\\.json' file(s)\n"
        "\n# ethtool ens33\nSettings for ens33:\n\n# ethtool ens38\nSettings for ens38:\n"
    )


def test_a_machine_that_can_not_tell_says_why(client: Client, tmp_path: Path) -> None:
    """500 with the cause, instead of bridges without ports."""
    program(tmp_path, "ip", "#!/bin/sh\nexit 1\n")
    answer = client.ask("GET", BRIDGES)
    assert answer.status_code == 500
    assert answer.reason.startswith("can't read the links of this machine: Command ")
