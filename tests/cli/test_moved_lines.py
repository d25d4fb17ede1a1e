"""Lines behind a blank line, which become another stanza's at PVE's write: through the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

LO = "auto lo\niface lo inet loopback\n\n"
ADDRESS = "\taddress 192.0.2.11/24\n\tgateway 192.0.2.1\n"
PORTS = "\tbridge-ports eno1\n\tbridge-stp off\n\tbridge-fd 0\n"
BRIDGE = f"{LO}iface eno1 inet manual\n\nauto vmbr0\niface vmbr0 inet static\n{ADDRESS}\n{PORTS}"
"""The node's own bridge, with a blank line in its stanza."""
NAT = (
    f"{LO}auto eno1\niface eno1 inet static\n{ADDRESS}\nauto vmbr0\niface vmbr0 inet static\n\taddress 10.9.9.1/24\n"
    "\tbridge-ports none\n\tbridge-stp off\n\tbridge-fd 0\n\n\tpost-up nat on\n\niface eno2 inet manual\n"
)
"""A bridge with NAT as PVE's own example has it, before another stanza."""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def made(text: str) -> None:
        Sim.init(tmp_path / "sim", node="pve1", nics=("eno1", "eno2"), interfaces=text)
        monkeypatch.setenv("PVENET_SIM", str(tmp_path / "sim"))

    return made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BRIDGE, "vmbr0 loses: `bridge-ports eno1`, `bridge-stp off` and `bridge-fd 0`, which become eno2's"),
        (NAT, "vmbr0 loses: `post-up nat on`, which becomes eno1's"),
    ],
    ids=["of the management bridge", "to the management NIC"],
)
def test_a_line_that_moves_is_told_and_on_the_management_path_agreed_to(
    node: Callable[[str], None], run: Run, text: str, told: str
) -> None:
    """When it is staged, and before the question; whatever was asked for was harmless."""
    node(text)
    assert told in run("eth", "set", "eno2", "--comments", "spare").err.replace("\n", " ")
    refused = run("apply", "--yes")
    assert refused.code == 7
    assert f"{told}; a rollback could not put that back" in refused.err
    assert "this touches the management path of pve1" in refused.err


def test_doctor_tells_it_before_anything_is_written(node: Callable[[str], None], run: Run) -> None:
    """By the text of the file, which the node's report has."""
    node(NAT)
    found = run("doctor", "--json").data
    (told,) = [each for each in found if each["check"] == "file"]
    assert told["state"] == "warning"
    assert told["text"].startswith("vmbr0: `post-up nat on` stands behind a blank line")
