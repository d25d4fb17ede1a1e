"""Two clusters with a node of the same name, and one folder for the journals of both."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pvenet.journal import Journals, State
from pvenet.sim.server import Server
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

BOND = ("bond", "create", "bond0", "--slaves", "ens38,ens39")
ROLLBACK = ("rollback", "--yes")
WAYS = ("pinned", "ca", "http", "in process")


@dataclass
class Site:
    """A cluster's one node, pve1, and how it is asked; the journals of every site are in one folder."""

    folder: Path
    way: str
    run: Callable[..., Ran]
    monkeypatch: pytest.MonkeyPatch
    server: Server | None = None

    def __post_init__(self) -> None:
        if not self.folder.exists():
            Sim.open(self.folder)
        nature = self.folder / "sim.json"
        nature.write_text(json.dumps(json.loads(nature.read_text()) | {"reload_seconds": 0.0}))

    def serve(self, port: int = 0) -> int:
        """Begin to answer; where."""
        self.server = Server(self.folder, port=port, tls=self.way != "http")
        self.server.__enter__()
        return int(self.server.endpoint.url.rpartition(":")[2])

    def end(self) -> None:
        if self.server is not None:
            self.server.__exit__(None, None, None)
        self.server = None

    def __call__(self, *words: str) -> Ran:
        """A command about this node; nothing but the command itself asks it."""
        where = ["--sim", str(self.folder)]
        if self.server is not None:
            at = self.server.endpoint
            where = ["--endpoint", at.url]
            self.monkeypatch.setenv("PVENET_TOKEN_ID", at.token_id)
            self.monkeypatch.setenv("PVENET_TOKEN_SECRET", at.token_secret)
            pinned, ca = (
                ("PVENET_FINGERPRINT", at.fingerprint),
                ("PVENET_CA_FILE", str(self.folder / "certificate.pem")),
            )
            for name, value in {pinned: "pinned", ca: "ca"}.items():
                self.monkeypatch.delenv(name[0], raising=False)
                if value == self.way:
                    self.monkeypatch.setenv(name[0], str(name[1]))
        state = str(self.folder.parent / "state")
        return self.run(*words, "--node", "pve1", "--state-dir", state, *where)

    def renew(self) -> None:
        """Another certificate at the same place."""
        port = int(str(self.server and self.server.endpoint.url).rpartition(":")[2])
        self.end()
        for file in ("certificate.pem", "certificate.fingerprint"):
            (self.folder / file).unlink()
        self.serve(port)

    def move_in(self, other: Site) -> None:
        """Answer where another has answered, as at the end of a tunnel; after that the other answers nowhere."""
        port = int(str(other.server and other.server.endpoint.url).rpartition(":")[2])
        other.end()
        self.end()
        self.serve(port)

    @property
    def live(self) -> str:
        return (self.folder / "pve1" / "etc" / "network" / "interfaces").read_text()

    @property
    def staged(self) -> bool:
        return (self.folder / "pve1" / "etc" / "network" / "interfaces.new").exists()

    @property
    def states(self) -> list[State]:
        return [journal.state for journal in Journals(self.folder.parent / "state", "pve1").all()]

    def colleague(self, *words: str) -> None:
        """Somebody else does something, from another machine."""
        self.run(*words, "--node", "pve1", "--state-dir", str(self.folder / "colleague"), "--sim", str(self.folder))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sites(
    way: str, tmp_path: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Site, Site]]:
    """Two of them, alike to the letter."""
    a, b = (Site(tmp_path / name, way, run, monkeypatch) for name in ("a", "b"))
    if way != "in process":
        a.serve()
        b.serve()
    yield a, b
    a.end()
    b.end()


def test_a_rollback_there_takes_nothing_away(sites: tuple[Site, Site]) -> None:
    """A colleague has made the same bond at B, by hand: it is not in a journal of B's."""
    a, b = sites
    assert a(*BOND).code == 0
    assert a("apply", "--yes").code == 0
    b.colleague(*BOND)
    b.colleague("apply", "--yes")
    ran = b(*ROLLBACK)
    assert (ran.code, "bond0" in b.live, b.states) == (0, True, [State.APPLIED])
    assert "nothing to roll back" in ran.err + ran.out
    assert "a journal of a node pve1 elsewhere" in ran.err + ran.out
    assert a(*ROLLBACK).code == 0
    assert "bond0" not in a.live
    assert a.states == [State.ROLLED_BACK]


def test_what_is_staged_there_is_not_ours(sites: tuple[Site, Site]) -> None:
    """The same diff to the letter is pending on both; a revert or an apply at B leaves it, and A's stays ours."""
    a, b = sites
    a(*BOND)
    b.colleague(*BOND)
    assert b("revert").code != 0
    assert b("apply", "--yes").code != 0
    assert (b.staged, a.states) == (True, [State.STAGING])
    assert b("revert", "--discard").code == 0
    assert (b.staged, a.states) == (False, [State.STAGING])
    assert a("revert").code == 0
    assert a.states == [State.DROPPED]


def test_an_apply_that_waits_there_is_not_confirmed_here(sites: tuple[Site, Site]) -> None:
    """Nor does it stand in B's way."""
    a, b = sites
    a(*BOND)
    a("apply", "--yes")
    journals = Journals(a.folder.parent / "state", "pve1")
    path = journals.path(journals.all()[0])
    path.write_text(path.read_text().replace('"applied"', '"confirming"'))
    ran = b("confirm")
    assert (ran.code, a.states) == (7, [State.CONFIRMING])
    assert "a journal of a node pve1 elsewhere" in ran.err
    assert b(*BOND).code == 0
    assert b("apply", "--yes").code == 0
    assert a(*BOND).code == 7
    assert a("confirm").code == 0
    assert a.states == [State.CONFIRMED, State.APPLIED]


def test_a_rollback_there_closes_nothing_here(sites: tuple[Site, Site]) -> None:
    """A's staging stays A's, whatever B applies and rolls back."""
    a, b = sites
    a(*BOND)
    assert b(*BOND).code == 0
    assert b("apply", "--yes").code == 0
    assert b(*ROLLBACK).code == 0
    assert b.states == [State.STAGING, State.ROLLED_BACK]
    assert a("apply", "--yes").code == 0
    assert "bond0" in a.live


@pytest.mark.parametrize("way", ["pinned", "ca"], indirect=True)
def test_the_certificate_decides_and_not_the_endpoint(sites: tuple[Site, Site]) -> None:
    """Two tunnels with one end here: the endpoint is the same."""
    a, b = sites
    a(*BOND)
    a("apply", "--yes")
    b.colleague(*BOND)
    b.colleague("apply", "--yes")
    b.move_in(a)
    ran = b("status")
    assert "this is another node (its certificate is" in ran.out
    assert "--same-node" in ran.out
    assert "nothing to roll back" in b(*ROLLBACK).err
    assert "bond0" in b.live
    assert b.states == [State.APPLIED]


@pytest.mark.parametrize("way", ["http"], indirect=True)
def test_where_there_is_no_certificate_the_node_has_to_be_as_it_was_left(sites: tuple[Site, Site]) -> None:
    """One tunnel, two nodes in turn: what is not as the journal left it is not replayed over."""
    a, b = sites
    a(*BOND)
    a("apply", "--yes")
    for words in (BOND, ("bridge", "create", "vmbr7"), ("apply", "--yes")):
        b.colleague(*words)
    b.move_in(a)
    ran = b(*ROLLBACK)
    assert ran.code == 7
    assert "is not known" in ran.err
    assert "bond0" in b.live
    assert b.states == [State.APPLIED]
    a.move_in(b)
    assert a(*ROLLBACK).code == 0


@pytest.mark.parametrize("way", ["ca", "pinned"], indirect=True)
@pytest.mark.parametrize("word", ["status", "rollback", "confirm"])
def test_a_certificate_that_was_renewed_is_said_once(sites: tuple[Site, Site], word: str) -> None:
    """--same-node: from then on the journals have the new one."""
    a, _ = sites
    a(*BOND)
    a("apply", "--yes")
    a("bridge", "create", "vmbr7")
    a.renew()
    for words in (("apply", "--yes"), ("revert",), ("bridge", "create", "vmbr8")):
        ran = a(*words)
        assert ran.code != 0
        assert "it has recorded exactly these changes" in ran.err
    assert "this is another node" in a("status").out
    ran = a(word, "--same-node", *(["--yes"] if word == "rollback" else []))
    assert ran.code == {"status": 0, "rollback": 0, "confirm": 7}[word]
    assert a.states[1] is (State.DROPPED if word == "rollback" else State.STAGING)
    if word == "rollback":
        assert "bond0" in a.live
        a("bridge", "create", "vmbr7")
    assert a("apply", "--yes").code == 0
    assert "vmbr7" in a.live
    assert "elsewhere" not in a("status").out


@pytest.mark.parametrize("way", ["ca"], indirect=True)
def test_an_old_journal_is_known_by_its_endpoint(sites: tuple[Site, Site]) -> None:
    """As before there were certificates in journals."""
    a, b = sites
    a(*BOND)
    a("apply", "--yes")
    journals = Journals(a.folder.parent / "state", "pve1")
    path = journals.path(journals.all()[0])
    old = json.loads(path.read_text())
    del old["certificate"]
    path.write_text(json.dumps(old))
    assert "is not known" in b("status").out
    assert a(*ROLLBACK).code == 0
    assert "bond0" not in a.live


def test_a_simulated_node_that_was_moved_keeps_its_journals(tmp_path: Path, run: Callable[..., Ran]) -> None:
    """They lie in its folder, unless something else was said."""
    Sim.open(tmp_path / "lab")
    assert run(*BOND, "--sim", str(tmp_path / "lab")).code == 0
    shutil.move(tmp_path / "lab", tmp_path / "moved")
    assert run("revert", "--sim", str(tmp_path / "moved")).code == 0


@pytest.mark.parametrize("way", ["pinned", "ca"], indirect=True)
def test_the_certificate_costs_no_request(sites: tuple[Site, Site], way: str) -> None:
    """It is met with the first that is sent anyway; one is asked for where a word is all that there is."""
    a, b = sites
    asked = [a(*words, "--debug").err for words in (BOND, ("apply", "--yes"), ROLLBACK, ("status",))]
    assert "/version" not in "".join(asked)
    journals = Journals(a.folder.parent / "state", "pve1")
    path = journals.path(journals.all()[0])
    path.write_text(path.read_text().replace('"rolled_back"', '"confirming"'))
    met = ["version"] if way == "ca" else []
    for site, wanted in ((b, [*met, "nodes"]), (a, met)):  # elsewhere the cluster is asked, whose member it might be
        sent = [line.split() for line in site("confirm", "--debug").err.splitlines() if line.startswith("debug:")]
        assert [words[2].rpartition("/")[2] for words in sent] == wanted


@pytest.mark.parametrize("way", ["pinned", "ca"], indirect=True)
@pytest.mark.parametrize("state", ["staging", "applied", "confirming"])
def test_a_journal_that_began_at_another_member_is_the_node_s(
    sites: tuple[Site, Site], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its certificate is one of those that the cluster knows; of another cluster's it is none."""
    a, b = sites
    a(*BOND)
    if state != "staging":
        a("apply", "--yes")
    journals = Journals(a.folder.parent / "state", "pve1")
    path = journals.path(journals.all()[0])
    kept = json.loads(path.read_text())
    there = str(kept["certificate"])[::-1]
    path.write_text(json.dumps(kept | {"certificate": there, "endpoint": "https://pve2:8006", "state": state}))
    act = {"staging": ("apply", "--yes"), "applied": ROLLBACK, "confirming": ("confirm",)}[state]
    for site in (b, a):
        assert "elsewhere (https://pve2:8006)" in site("status").out
    assert a(*act).code != 0 or state == "applied"
    monkeypatch.setattr("pvenet.apply.unfinished.fingerprints", lambda _: {"pve2": there})
    assert "elsewhere" not in a("status").out
    assert a(*act).code == 0
    assert ("bond0" in a.live) is (state != "applied")
