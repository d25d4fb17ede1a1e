"""`pvenet plan show PLAN`: what a saved plan has shown, without any node."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from housed import housed

from pvenet.access import NotKnown
from pvenet.impact import BridgeImpact, Effect, GuestImpact, Impact, LinkImpact, PathImpact
from pvenet.model.cluster import ClusterLink
from pvenet.render.impact import impact_data, impact_lines
from pvenet.render.saved_plan import impact_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

FILE = """\
nodes:
  pve1:
    vmbr1: {state: absent}
    vmbr0: {type: bridge, ports: [ens33, ens37], comments: For management}
    vlan50: {type: vlan, raw_device: bond0, tag: 50}
"""


@pytest.fixture
def saved(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan for a node with guests, of which nobody knows any more where it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.yaml").write_text(FILE)
    folder = housed(tmp_path / "node", ("101:web:vmbr1:20", "300:mail:vmbr0"))
    assert run("--sim", str(folder), "plan", "-o", "saved").code == 0
    return tmp_path / "saved"


def test_it_is_shown_as_it_was(run: Run, saved: Path, tmp_path: Path) -> None:
    """Every line that the plan had, without a node, a profile or a state folder."""
    there = run("--sim", str(tmp_path / "node"), "plan").out.splitlines()
    ran = run("plan", "show", "saved")
    assert ran.code == 0
    shown = ran.out.splitlines()
    assert [line for line in there if line.startswith(("  ", "pve"))] == [
        line for line in shown if line.startswith(("  ", "pve"))
    ]
    assert "  - bridge vmbr1  (risk: guests)" in shown
    assert "    cut: vmbr1 goes" in shown
    assert "`pvenet apply saved` applies it" in ran.err
    assert saved.exists()
    assert not (tmp_path / "state").exists()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[timezone]:
    """The zone of this machine."""
    with monkeypatch.context() as own:
        own.setenv("TZ", "XXX-5:45")
        time.tzset()
        yield timezone(timedelta(hours=5, minutes=45))
    time.tzset()


def test_when_it_was_made_and_applied_is_said_in_the_readers_zone(run: Run, saved: Path, zone: timezone) -> None:
    """And how long ago that was, as history says it; for a forge, whose readers are anywhere, in UTC."""
    made = datetime.fromisoformat(json.loads(saved.read_text())["made"])
    when = made.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    shown = run("plan", "show", "saved").out
    assert shown.startswith(f"made from network.yaml at {when} (")
    assert " ago), with" in shown or "now), with" in shown
    assert " UTC</code>, with the nodes" in run("plan", "show", "saved", "--format", "markdown").out
    assert run("--sim", "node", "apply", "saved", "--yes", "--allow-management", "--allow-guests", "all").code == 0
    again = run("--sim", "node", "apply", "saved", "--yes")
    applied = datetime.now(zone)
    moments = [(applied - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M") for minutes in (0, 1)]
    assert any(f"this plan was applied already, to pve1 at {each} (" in again.err for each in moments)


def test_its_json_is_what_was_saved(run: Run, saved: Path) -> None:
    """Whole, so that a script can read it from here as well as from the file."""
    assert run("plan", "show", "saved", "--json").data == json.loads(saved.read_text())


def test_what_was_staged_before_is_told_apart(run: Run, file: Path, cluster: Path) -> None:
    """What was staged from here goes live with the plan; somebody else's was on the node, and is not."""
    file.write_text("defaults: {ens40: {type: eth, mtu: 1400}}\nnodes: {pve1: , pve2: }")
    run("bond", "create", "--slaves", "ens38,ens39", "--node", "pve1")
    theirs = cluster / "pve2/etc/network/interfaces"
    theirs.with_name("interfaces.new").write_text(theirs.read_text() + "\nauto vmbr7\niface vmbr7 inet manual\n")
    run("plan", "-o", "plan")
    ran = run("plan", "show", "plan")
    first, second = ran.out.split("pve2:")
    assert "  something was pending there already, staged from here:\n    ~ eth ens38" in first
    assert "    + bond bond0: slaves ens38,ens39" in first
    assert "  something was pending there already that pvenet did not stage from here\n" in second


def test_plan_stays_what_it_was(run: Run, saved: Path, tmp_path: Path) -> None:
    """Without a word, and with the file's name; one that is called show goes by -f."""
    node = ("--sim", str(tmp_path / "node"))
    assert run(*node, "plan").out == run(*node, "plan", "network.yaml").out
    (tmp_path / "show").write_text(FILE)
    assert run(*node, "plan", "-f", "show").out == run(*node, "plan").out
    assert run(*node, "plan", "./show").code == 2
    assert saved.exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show",), "shows one saved plan"),
        (("show", "saved", "saved"), "shows one saved plan"),
        (("show", "nowhere"), "nowhere"),
        (("show", "network.yaml"), "network.yaml is not a saved plan"),
        (("show", "saved", "-f", "network.yaml"), "-f does not go with `pvenet plan show`"),
        (("show", "saved", "-o", "other"), "-o does not go with `pvenet plan show`"),
        (("show", "saved", "--exit-code"), "--exit-code does not go with `pvenet plan show`"),
        (("network.yaml", "saved"), "network.yaml and saved are two files"),
        (("",), "FILE is empty"),
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_wrong_usage(run: Run, saved: Path, words: tuple[str, ...], why: str) -> None:
    """With the way out."""
    ran = run("plan", *words)
    assert ran.code == 2
    assert why in ran.err
    assert saved.exists()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("made",), None),
        (("counts",), []),
        (("counts", "create"), "many"),
        (("nodes", 0, "steps"), 7),
        (("nodes", 0, "steps", 0, "risk"), "none at all"),
        (("nodes", 0, "steps", 0, "fields"), ["ports"]),
        (("nodes", 0, "impact"), None),
        (("nodes", 0, "impact", "bridges", 0, "guests", 0, "effect"), "cheered"),
        (("nodes", 0, "impact", "bridges", 0, "guests", 0, "surprise"), 1),
        (("nodes", 0, "warnings"), ["text"]),
    ],
    ids=str,
)
def test_one_that_was_changed_is_refused_in_a_sentence(
    run: Run, saved: Path, path: tuple[str | int, ...], value: Any
) -> None:
    """Whatever was done to it."""
    data = json.loads(saved.read_text())
    at = data
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    saved.write_text(json.dumps(data))
    ran = run("plan", "show", "saved")
    assert (ran.code, ran.out) == (2, "")
    assert "saved was changed after it was saved" in ran.err


def test_what_a_file_says_colours_nothing(run: Run, saved: Path) -> None:
    """A plan may come from anywhere: its text is made harmless as everybody's is."""
    text = saved.read_text().replace("For management", "\\u001b[31mred").replace('"vmbr1"', '"vm\\nbr1"')
    saved.write_text(text)
    ran = run("plan", "show", "saved")
    assert "\x1b" not in ran.out
    assert not any(line.startswith("br1") for line in ran.out.splitlines())


def test_an_impact_is_read_back_as_it_was() -> None:
    """With guests, links, the way and what is not known; what is said of it is the same."""
    guest = GuestImpact(vmid=101, index="net0", name="web", running=True, tag=20, trunks=("7", "9-12"), why="x goes")
    card = GuestImpact(vmid=7, index="net1", running=None, pending=True, effect=Effect.CUT, why="vmbr1 goes")
    link = ClusterLink(node="pve1", number=1, address="10.0.0.1", ip="10.0.0.1")
    found = Impact(
        bridges=(BridgeImpact(name="vmbr1", guests=(guest, card)),),
        links=(LinkImpact(link=link, carrier="ens40", effect=Effect.INTERRUPTED, why="it shakes"),),
        path=PathImpact(carrier="vmbr0", chain="ens33 > vmbr0"),
        unknown=(NotKnown(what="who runs", privilege="VM.Audit", path="/vms", grants=("pveum ...",)),),
    )
    again = impact_of(json.loads(json.dumps(impact_data(found))))
    assert impact_data(again) == impact_data(found)
    assert impact_lines(again) == impact_lines(found)
