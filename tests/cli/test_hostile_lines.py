"""A comment that goes on as a command: ifupdown2 ends a line where PVE does not, and it is said before it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

ENDS = {letter: f"{letter!a}" for letter in "\r\x0b\x0c\x1c\x85\u2028"}


@pytest.fixture(params=ENDS)
def shown(request: pytest.FixtureRequest, interfaces: Path) -> str:
    """An end of a line in a comment of the node's file, as it is shown."""
    text = interfaces.read_text().replace(
        "iface ens37 inet manual\n", f"iface ens37 inet manual\n#note{request.param}post-up touch /tmp/evil\n"
    )
    interfaces.write_bytes(text.encode())
    return ENDS[request.param]


def warning(shown: str) -> str:
    return f"warning: comments of ens37 hold {shown}, which ends a line for ifupdown2"


def test_list_says_it(run: Run, shown: str) -> None:
    """On stderr, also beside JSON."""
    assert warning(shown) in run("list").err
    ran = run("list", "--json")
    assert warning(shown) in ran.err
    assert ran.data


def test_an_apply_says_it_before_the_question(run: Run, shown: str) -> None:
    """Whatever it changes: the reload reads the whole file."""
    run("eth", "set", "ens38", "--mtu", "1400")
    ran = run("apply")
    assert ran.code == 7
    assert warning(shown) in ran.err
    assert "nothing was sent" in ran.err
    events = run("apply", "--yes", "--json").lines
    warned = [number for number, event in enumerate(events) if shown in event.get("text", "")]
    assert warned
    assert warned[0] < [event["event"] for event in events].index("reloading")


@pytest.mark.usefixtures("lab")
def test_a_plan_says_it(run: Run, shown: str, tmp_path: Path) -> None:
    """With the node's place in the file."""
    file = tmp_path / "network.yaml"
    file.write_text("nodes:\n  pve1:\n    ens38: {type: eth, mtu: 1400}\n")
    ran = run("plan", "-f", str(file))
    assert f"pve1: comments of ens37 hold {shown}" in ran.err
    assert ran.code == 0


def test_sim_check_says_it(lab: Path, run: Run, shown: str) -> None:
    """With the line, and what would be run."""
    ran = run("sim", "check", str(lab))
    assert f"{shown} ends a line for ifupdown2 and not for PVE: `post-up touch /tmp/evil` may be run" in ran.out


def test_a_file_of_another_system_is_told_once(interfaces: Path, run: Run) -> None:
    """Where nothing follows it, a carriage return at each line's end is one note."""
    text = "".join(f"#{number}\r\n" for number in range(9))
    interfaces.write_bytes(interfaces.read_bytes() + f"\niface ens45 inet manual\r\n{text}".encode())
    assert run("sim", "check", str(interfaces)).out.count(r"lines end in '\r'") == 1


@pytest.mark.usefixtures("lab")
def test_a_clean_file_is_no_warning(run: Run) -> None:
    """Nor are comments of several lines."""
    run("eth", "set", "ens38", "--comments", "one\ntwo")
    assert "ends a line" not in run("list").err
