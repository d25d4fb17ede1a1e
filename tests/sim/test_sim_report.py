"""A node's report: its form as recorded, its network section from the kernel and the files."""

from __future__ import annotations

import fcntl
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests
from kernel_moments import comparable_line, text, whole_moment
from kernel_replay import KernelReplay, setups
from paths import FIXTURES
from sim_client import HERE, NETWORK, Client, reload, stage
from sim_replay import load

from pvenet.sim.kernel.report import INTERFACES, Facts, report
from pvenet.sim.kernel.value import Kernel
from pvenet.sim.machine.simulated import Simulated
from pvenet.sim.state import Sim, SimError, write_json
from pvenet.sim.system.report import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.sim.machine.backend import ReportForm
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine

REPORT = "/nodes/pve1/report"
NOTES = re.compile(r"K2-report-0(08|09|10)-")
"""Exchanges that write notes of guests and of the node, for which the sim has no call."""
SECTION = re.compile(r"\n==== info about network ====\n.*?(?=\n==== info about firewall ====\n)", re.DOTALL)
MADE_FROM = {
    "vm-base": "base",
    "vm-lacp-partner": "lacp-partner",
    "vm-active-backup-vlan-aware": "active-backup-vlan-aware",
    "vm-misc-fresh": "misc-fresh",
}
"""Recorded reports, and the recorded moments that are the same but for seconds."""
OF_A_FILE = "# UNCONFIGURED FSTAB FOR BASE SYSTEM"
"""A line of the recording's /etc/fstab that looks like a command."""


def recorded(name: str) -> str:
    return (FIXTURES / "kernel" / "reports" / f"{name}.txt").read_text(encoding="utf-8")


def written(scenario: str) -> str:
    """The report of a moment, 17 to 20 s after it: a port that listened has gone on to learn."""
    kernel = whole_moment(scenario)
    links = tuple(
        replace(each, port_state="learning") if each.port_state == "listening" else each for each in kernel.links
    )
    files = {INTERFACES: text(scenario, "interfaces.txt")}
    return report(Facts(node="pve1", now=0.0, kernel=replace(kernel, links=links), files=files))


def network(whole: str) -> list[str]:
    """The lines of the network section, as far as they can be compared."""
    found = SECTION.search(whole)
    assert found
    return [re.sub(r"expires \d+sec", "expires", comparable_line(line)) for line in found[0].splitlines()]


@pytest.mark.parametrize("name", MADE_FROM)
def test_the_network_section_is_that_of_a_recorded_report(told: Callable[[str], None], name: str) -> None:
    """Every line, in order: what `ip` and `ethtool` say, the file, and the commands between."""
    lines = network(recorded(name))
    assert network(written(MADE_FROM[name])) == lines
    told(f"{name}: {len(lines)} lines of the network section, none differs")


@pytest.mark.parametrize("name", MADE_FROM)
def test_sections_and_commands_are_those_of_a_recorded_report(name: str) -> None:
    """All titles, all commands and all names of folders, in PVE's order."""

    def skeleton(whole: str) -> list[str]:
        return [line for line in whole.splitlines() if line.startswith(("# ", "==== ")) and line != OF_A_FILE]

    assert skeleton(written(MADE_FROM[name])) == skeleton(recorded(name))


def test_sourced_files_are_told_as_recorded() -> None:
    """Hidden ones too, each as it stands, whatever it looks like; with no newline at its end as with one."""
    whole = recorded("interfaces-d")
    start = whole.index("# output '/etc/network/interfaces.d/.*'")
    said = whole[start : whole.index("\n# cat /etc/pve/sdn/.running-config")]
    parts = re.split(r"\n# cat (/etc/network/interfaces\.d/\S+)\n", said)[1:]
    files = {path: content.removesuffix("\n") for path, content in zip(parts[::2], parts[1::2], strict=True)}
    assert len(files) > 3
    assert said in report(Facts(node="pve1", now=0.0, kernel=Kernel(), files=files))


def ask(client: Client) -> str:
    answer = client.ask("GET", REPORT)
    assert answer.status_code == 200
    told: str = answer.json()["data"]
    return told


def test_what_is_applied_is_told_verbatim_while_something_is_staged(tmp_path: Path) -> None:
    """A comment that looks like a command stands there as it is, and nothing of what is staged does."""
    client = Client(tmp_path)
    assert client.ask("PUT", f"{NETWORK}/vmbr0", type="bridge", bridge_ports="ens33", comments=" ethtool ens38").ok
    reload(client)
    client.sleep(5)
    applied = client.node.applied()
    stage(client, "vmbr7")
    told = ask(client)
    assert "# ethtool ens38\n" in applied
    assert f"\n# cat /etc/network/interfaces\n{applied}# output '/etc/network/interfaces.d/.*' file(s)\n" in told
    assert "vmbr7" not in told


def test_an_older_release_writes_other_words(tmp_path: Path) -> None:
    """iproute2 6.1 has two blanks behind promiscuity, and a server before 9.2.7 asks no `ethtool`."""
    client = Client(tmp_path)
    new = ask(client)
    write_json(tmp_path / "sim.json", {"iproute2": "6.1", "ethtool": False})
    old = ask(client)
    assert ("promiscuity 0 allmulti" in new, "promiscuity 0  allmulti" in old) == (True, True)
    assert (new.count("Settings for "), old.count("\n# ethtool ")) == (6, 0)


def test_a_release_that_nobody_knows_is_named(tmp_path: Path) -> None:
    """A word that is none for a switch is told with those that are."""
    sim = Sim.open(tmp_path)
    write_json(tmp_path / "sim.json", {"iproute2": "5.10"})
    with pytest.raises(SimError, match=re.escape("iproute2 must be 6.15 or 6.1")):
        sim.config()


def occupied(tmp_path: Path, seconds: float = 50.0) -> Client:
    """A node on which three reports are running whose clients have gone."""
    client = Client(tmp_path)
    write_json(tmp_path / "sim.json", {"report_seconds": seconds})
    for _ in range(3):
        with pytest.raises(requests.ReadTimeout):
            client.session.get(HERE + REPORT, timeout=(3, 1))
    return client


def patient(client: Client, method: str, path: str, **form: object) -> int:
    return client.session.request(method, HERE + path, data=form or None, timeout=(3, 60)).status_code


class Watched(Simulated):
    """A machine that looks, while its report is written, whether somebody holds the folder."""

    def report(self, node: NodeFolder, machine: Machine, now: float, form: ReportForm) -> Callable[[], str]:
        write = super().report(node, machine, now, form)

        def watched() -> str:
            with (node.folder.parent / ".lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return write()

        return watched


def test_nobody_holds_the_folder_while_a_report_is_written(tmp_path: Path) -> None:
    """Lists and polls go on beside it, however long a machine's own commands take."""
    Sim.open(tmp_path)
    assert "==== info about network ====" in ask(Client(Sim(tmp_path, Watched())))


def test_a_report_that_takes_longer_than_the_server_waits(tmp_path: Path) -> None:
    """596 after 30 s, each time; the next one finds another worker free."""
    client = Client(tmp_path)
    write_json(tmp_path / "sim.json", {"report_seconds": 50.0})
    start = client.now
    assert [patient(client, "GET", REPORT) for _ in range(3)] == [596] * 3
    assert client.now - start == 90


def test_a_staging_call_waits_for_a_worker_and_happens_all_the_same(tmp_path: Path) -> None:
    """With three reports of 50 s it gets 596 after 30 s, is not staged then, and is when they are through."""
    client = occupied(tmp_path)
    assert patient(client, "POST", NETWORK, iface="vmbr1", type="bridge") == 596
    assert not client.node.staged.exists()
    client.sleep(25)
    assert "vmbr1" in {entry["iface"] for entry in client.ask("GET", NETWORK).json()["data"]}


def test_lists_and_polls_wait_for_nobody(tmp_path: Path) -> None:
    """A list, a task's status and its log are answered at once while three reports run."""
    client = Client(tmp_path)
    stage(client)
    upid = reload(client)
    client = occupied(tmp_path)
    start = client.now
    paths = (NETWORK, f"/nodes/pve1/tasks/{upid}/status", f"/nodes/pve1/tasks/{upid}/log")
    assert [patient(client, "GET", path) for path in paths] == [200] * 3
    assert client.now == start


def test_a_bridges_call_waits_its_turn(tmp_path: Path) -> None:
    """It is answered when the first report is through, which began 3 s before."""
    client = occupied(tmp_path, seconds=19.0)
    start = client.now
    assert patient(client, "GET", "/nodes/pve1/sdn/zones/localnetwork/bridges") == 200
    assert client.now - start == 16


@pytest.mark.parametrize("group", ["K2-report", "K2-slow", "K2-reload", "K2-vm-base"])
def test_recorded_exchanges_with_reports_are_answered_alike(
    told: Callable[[str], None], tmp_path: Path, group: str
) -> None:
    """Status, reason, headers, and the JSON of all but the reports, for each user and command; none freezes a flag."""
    chosen = [e for e in load("kernel/report.jsonl") if e.name.startswith(group) and not NOTES.match(e.name)]
    replay = KernelReplay(tmp_path, chosen, setups("report.jsonl"), workers=1)
    found = list(replay.differences())
    told(f"report.jsonl, {group}: {len(chosen)} replayed, {len(found)} differ")
    assert chosen
    assert found == []


def test_a_command_that_takes_too_long_is_told(tmp_path: Path) -> None:
    """What it printed before stays, then the error in PVE's words (K2-slow-007)."""
    script = tmp_path / "hangs"
    script.write_text("#!/bin/sh\necho before\nexec sleep 60\n")
    script.chmod(0o755)
    assert run(str(script), 0.5) == f"before\n\nERROR: command '{script}' failed: got timeout\n"
    assert run(f"{script}-not") == f"\nERROR: command '{script}-not' failed: No such file or directory\n"
