"""`pvenet drift`: what a scheduled job says, and the metrics that it leaves."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import exposition
import pytest
import requests

from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

LOOK = "pvenet_last_look_timestamp_seconds"


def metrics(path: Path) -> dict[str, exposition.Family]:
    return exposition.read(path.read_text())


@pytest.fixture
def prom(file: Path) -> Path:
    """Where the metrics go."""
    return file.with_name("pvenet.prom")


def unplug(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Whatever is asked of an address that has this part is lost."""
    send = SimAdapter.send

    def gone(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        if part in (request.url or ""):
            raise requests.ConnectionError("gone")
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", gone)


@pytest.mark.usefixtures("cluster", "file")
@pytest.mark.parametrize("form", ["text", "json", "markdown", "github", "gitlab"])
def test_it_shows_what_plan_shows(run: Run, form: str) -> None:
    """In every format, but for the words that say what it is; and 10 with --exit-code where a node has drifted."""
    told, planned = (run(command, "--format", form).out for command in ("drift", "plan"))
    if form == "text":
        told, planned = (text.rpartition("\n\n")[0] for text in (told, planned))
    assert told.replace("pvenet drift", "pvenet plan") == planned
    assert (run("drift").code, run("drift", "--exit-code").code) == (0, 10)


@pytest.mark.usefixtures("cluster")
def test_nothing_has_drifted(run: Run, file: Path) -> None:
    """Then it is 0, and the metrics say so."""
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge}}}")
    ran = run("drift", "--exit-code", "--prometheus", "a.prom")
    assert (ran.code, ran.out) == (0, "no drift: pve1 is as network.yaml says\n")
    found = metrics(file.with_name("a.prom"))
    assert set(found["pvenet_drift_interfaces"].samples.values()) == {0}


@pytest.mark.usefixtures("cluster")
def test_what_is_pending_is_no_agreement(run: Run, file: Path) -> None:
    """Where a file has nothing to change, and something is staged and not live, it is 10 all the same."""
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge}}}")
    run("--node", "pve1", "eth", "set", "ens40", "--mtu", "1400")
    assert (run("drift").code, run("drift", "--exit-code").code) == (0, 10)


@pytest.mark.usefixtures("cluster")
def test_the_last_line_speaks_of_drift(run: Run, file: Path, cluster: Path) -> None:
    """Which nodes are not as the file says, and what is pending; it begins as the exit code is."""

    def last() -> str:
        ran = run("drift", "--exit-code")
        line = ran.out.splitlines()[-1]
        assert ran.code == (0 if line.startswith("no drift: ") else 10)
        assert line.startswith(("no drift: ", "drift: "))
        return line

    same, new = "{vmbr0: {type: bridge}}", "{vmbr5: {type: bridge}}"
    file.write_text(f"nodes: {{pve1: {same}, pve2: {new}, pve3: {same}}}")
    assert last() == "drift: pve2 is not as network.yaml says: 1 to create, 0 to change, 0 to delete"
    run("--node", "pve2", "bridge", "create", "vmbr5")
    assert last() == "drift: pve2 has staged changes from here that are not live"
    pending = cluster / "pve3/etc/network/interfaces.new"
    pending.write_text(f"{pending.with_suffix('').read_text()}\nauto vmbr7\niface vmbr7 inet manual\n")
    assert last() == "drift: pve2 has staged changes from here that are not live; something else is pending on pve3"
    assert run("--node", "pve2", "revert", "--yes").code == 0
    pending.unlink()
    file.write_text(f"nodes: {{pve1: {new}, pve2: {new}, pve3: {same}}}")
    assert last() == "drift: pve1, pve2 are not as network.yaml says: 2 to create, 0 to change, 0 to delete"
    file.write_text(f"nodes: {{pve1: {same}, pve3: {same}}}")
    assert last() == "no drift: pve1, pve3 are as network.yaml says"


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("command", "some", "none"),
    [
        ("plan", "plan: 1 to create, 0 to change, 0 to delete on 1 of 2 nodes", "no plan"),
        ("drift", "drift: pve1 is not as network.yaml says: 1 to create, 0 to change, 0 to delete", "not known"),
    ],
)
def test_the_last_line_says_who_could_not_be_read(  # noqa: PLR0913, PLR0917 - fixtures
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, command: str, some: str, none: str
) -> None:
    """It claims nothing about them, and nothing at all where that is everybody."""
    unplug(monkeypatch, "/nodes/pve2/")
    file.write_text("nodes: {pve1: {vmbr5: {type: bridge}}, pve2: {vmbr5: {type: bridge}}}")
    ran = run(command, "--exit-code")
    assert (ran.code, ran.out.splitlines()[-1]) == (6, f"{some}; pve2 could not be read")
    assert run(command, "--node", "pve2").out == f"{none}: pve2 could not be read\n"


@pytest.mark.usefixtures("cluster")
def test_the_metrics_say_drift_pending_and_links(run: Run, prom: Path) -> None:
    """A series each, by node, for a reader who is another user; the file is whole at every moment."""
    run("--node", "pve1", "eth", "set", "ens40", "--mtu", "1400")
    before = os.umask(0o077)
    try:
        ran = run("drift", "--prometheus", f"{prom}")
    finally:
        os.umask(before)
    assert (ran.code, stat.S_IMODE(prom.stat().st_mode)) == (0, 0o644)
    found = metrics(prom)
    assert found["pvenet_drift_interfaces"].at(node="pve2", action="update") == 3
    pending = {
        (node, whose): found["pvenet_pending"].at(node=node, whose=whose)
        for node in ("pve1", "pve2")
        for whose in ("ours", "others")
    }
    assert {key for key, value in pending.items() if value} == {("pve1", "ours")}
    assert found["pvenet_link_up"].at(node="pve1", link="vmbr0", kind="bridge") == 1
    assert found["pvenet_up"].samples.keys() == {frozenset({("node", node)}) for node in ("pve1", "pve2")}
    assert found["pvenet_last_run_success"].at() == 1
    assert [path.name for path in prom.parent.iterdir() if "prom" in path.name] == [prom.name]


@pytest.mark.usefixtures("cluster")
def test_somebody_elses_changes_are_theirs(run: Run, prom: Path, staged: Path, interfaces: Path) -> None:
    """What is pending and was not staged from here is told apart."""
    staged.write_text(interfaces.read_text() + "\niface ens42 inet manual\n")
    assert run("drift", "--prometheus", f"{prom}").code == 0
    pending = metrics(prom)["pvenet_pending"]
    assert (pending.at(node="pve1", whose="others"), pending.at(node="pve1", whose="ours")) == (1, 0)


@pytest.mark.usefixtures("cluster")
def test_a_node_that_does_not_answer_is_a_metric(run: Run, prom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not up, keeps the moment of its last look, and has no values of which nobody knows; the others have."""
    assert run("drift", "--prometheus", f"{prom}").code == 0
    before = metrics(prom)[LOOK].at(node="pve2")
    unplug(monkeypatch, "/nodes/pve2/")
    assert run("drift", "--prometheus", f"{prom}").code == 6
    found = metrics(prom)
    up = found["pvenet_up"]
    assert (up.at(node="pve1"), up.at(node="pve2"), found["pvenet_last_run_success"].at()) == (1, 0, 0)
    assert found[LOOK].at(node="pve2") == before <= found[LOOK].at(node="pve1")
    assert all("pve2" not in dict(labels).values() for labels in found["pvenet_drift_interfaces"].samples)


@pytest.mark.usefixtures("cluster")
def test_where_nobody_answers_every_node_is_down(run: Run, prom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics are written all the same; one that was never read has no moment of a look."""
    unplug(monkeypatch, "/api2/")
    ran = run("drift", "--prometheus", f"{prom}")
    found = metrics(prom)
    assert (ran.code, set(found["pvenet_up"].samples.values()), LOOK in found) == (6, {0}, False)


@pytest.mark.usefixtures("cluster")
def test_without_the_right_to_a_report_links_are_left_out(run: Run, prom: Path) -> None:
    """A warning says why; drift is known all the same."""
    ran = run("drift", "--prometheus", f"{prom}", "--fault", "lacks=Sys.Audit@GET report")
    found = metrics(prom)
    assert (ran.code, "no metrics of its links" in ran.err, "pvenet_links" in found) == (0, True, False)
    assert found["pvenet_up"].at(node="pve1") == 1


@pytest.mark.usefixtures("cluster", "file")
def test_metrics_that_can_not_be_written_are_said(run: Run, tmp_path: Path) -> None:
    """The answer fails in a sentence; a name that node_exporter passes over is a warning."""
    ran = run("drift", "--prometheus", f"{tmp_path}/none/pvenet.prom")
    assert (ran.code, "pvenet.prom can't be written: No such file" in ran.err) == (2, True)
    ran = run("drift", "--prometheus", f"{tmp_path}/pvenet.txt")
    assert (ran.code, "reads only files that end in .prom" in ran.err) == (0, True)
    assert run("drift", "--prometheus", "").code == 2
