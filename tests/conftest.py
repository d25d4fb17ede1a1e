"""What the tests share: a clean environment, a simulated node in a folder, and a way to run a command line."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keyring
import pytest
from hypothesis import HealthCheck, settings
from keyring.backends.fail import Keyring as NoKeyring
from recorder import set_nature
from schemas import hold
from transitions import watched, wrong

from pvenet import cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live import Target
    from transitions import Transition

__all__ = ["FIXTURES", "Ran"]

FIXTURES = Path(__file__).parent.parent / "fixtures"

# a busy machine is no reason to fail
settings.register_profile("pvenet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pvenet")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The lines that tests had to tell, also from other processes."""
    for report in (*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())):
        for name, line in report.user_properties:
            if name == "told":
                terminalreporter.write_line(line)


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a line in the summary of the whole run."""
    return lambda line: record_property("told", line)


@pytest.fixture(autouse=True)
def _no_keyring() -> Iterator[None]:
    """No test meets the keyring of this machine, nor one that another test has made: whichever classes of keyrings are
    known when the first is asked for would be candidates.
    """
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]


@dataclass
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its stdout, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its stdout, a JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def end(self) -> dict[str, Any]:
        """The last event of an apply or a rollback."""
        return self.lines[-1]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("PVENET_", "PROXMOX_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(autouse=True)
def transitions() -> Iterator[list[Transition]]:
    """Transitions of journals that the table of their states does not list; each fails the test that made it."""
    with watched() as unknown:
        yield unknown
    assert not unknown, wrong(unknown)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line in process, through `main`; what it prints with --json is held to its schema."""

    def go(*words: str) -> Ran:
        capsys.readouterr()
        code = cli.main(list(words))
        printed = capsys.readouterr()
        if sys.stdout is not None:  # else its reader has gone, and it is no whole answer
            hold(list(words), printed.out)
        return Ran(code, printed.out, printed.err)

    return go


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A simulated node, the walk-through's, whose reloads take no time; PVENET_SIM names it."""
    from pvenet.sim.state import Sim

    folder = tmp_path / "lab"
    Sim.open(folder)
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


@pytest.fixture
def granted(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Go on as a token that has these entries of the list alone."""

    def go(*entries: dict[str, Any]) -> None:
        path = lab / "users.json"
        users = json.loads(path.read_text())
        users["acl"] += [{"who": "nobody@pve", **entry} for entry in entries]
        path.write_text(json.dumps(users))
        monkeypatch.setenv("PVENET_TOKEN_ID", "nobody@pve!none")
        monkeypatch.setenv("PVENET_TOKEN_SECRET", users["tokens"]["nobody@pve!none"]["secret"])

    return go


@pytest.fixture
def interfaces(lab: Path) -> Path:
    """The simulated node's live file."""
    return lab / "pve1" / "etc" / "network" / "interfaces"


@pytest.fixture
def staged(interfaces: Path) -> Path:
    """The simulated node's pending file, which may not be there."""
    return interfaces.with_name("interfaces.new")


@pytest.fixture
def cluster(lab: Path, interfaces: Path) -> Path:
    """Three simulated nodes in the lab, pve1 to pve3, alike but for their addresses: 192.168.171.21 to .23."""
    from pvenet.sim.state import Sim

    for number in (2, 3):
        text = interfaces.read_text().replace("192.168.171.21", f"192.168.171.2{number}")
        Sim.init(lab, node=f"pve{number}", nics=("ens33", "ens37", "ens38", "ens39", "ens40", "ens41"), interfaces=text)
    return lab


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The documents' network file, network.yaml in the folder where commands run."""
    from network_file import EXAMPLE

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "network.yaml"
    path.write_text(EXAMPLE)
    return path


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The node of the live tests: the one that scripts/live-test names, else a simulated one over HTTPS."""
    import live

    state = tmp_path_factory.mktemp("state")
    if os.environ.get("PVENET_LIVE") == "1":
        try:
            yield live.named_target(state, dict(os.environ))
        except SystemExit as refused:
            pytest.exit(str(refused), returncode=2)
        return
    from pvenet.sim.server import Server

    with Server(tmp_path_factory.mktemp("lab")) as server:
        yield live.simulated(server.endpoint, state)


@pytest.fixture
def node(target: Target) -> Iterator[Target]:
    """The target, which is put back afterwards as it was before the first test."""
    yield target
    target.restore()
