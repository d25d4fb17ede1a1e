"""Several clusters from one command line: profiles with commas between them, each with a place of its own."""

from __future__ import annotations

import json
from ssl import SSLSocket
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from network_file import tagged
from recorder import set_nature

from pvenet import cluster, errors
from pvenet.cli.context import Context
from pvenet.cli.place import Place
from pvenet.connection import Held
from pvenet.doctor import examine
from pvenet.doctor.entry import entry_findings
from pvenet.doctor.node import CHECKS as NODE
from pvenet.fleet import places as module
from pvenet.journal import Journals, State
from pvenet.model import Network
from pvenet.nics.sight import Sight
from pvenet.settings import Options
from pvenet.sim.server import Server
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Ran

    from pvenet.connection import Connection
    from pvenet.doctor.finding import Looks

    Run = Callable[..., Ran]

BOTH = ("--profile", "a,b")
DEAD = '[profiles.dead]\nendpoints = ["https://127.0.0.1:1"]\ntoken_id = "root@pam!x"\n'


def profiles(folder: Path, *more: str) -> None:
    """Write the configuration file: a and b as they are, and what is besides."""
    text = (f'[profiles.{name}]\nsim = "{folder / name}"\nstate_dir = "{folder / "kept"}"\n' for name in "ab")
    write_profiles(folder, *text, *more)


def write_profiles(folder: Path, *texts: str) -> None:
    """The same of these profiles alone."""
    file = folder / "config" / "pvenet" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(texts))
    file.chmod(0o600)


def served(folder: Path, name: str, server: Server, *, trusts: Server | None = None) -> str:
    """A profile that leads to a server, and trusts its certificate alone, or that of another."""
    at = server.endpoint
    return (
        f'[profiles.{name}]\nendpoints = ["{at.url}"]\ntoken_id = "{at.token_id}"\ntoken_secret = "{at.token_secret}"\n'
        f'fingerprint = "{(trusts or server).endpoint.fingerprint}"\nstate_dir = "{folder / "kept"}"\n'
    )


def dead(folder: Path) -> str:
    """A profile whose place does not answer."""
    return f'{DEAD}token_secret = "11111111-1111-1111-1111-111111111111"\nstate_dir = "{folder / "kept"}"\n'


@pytest.fixture
def places(tmp_path: Path, file: Path) -> Path:
    """Two simulated clusters, a with the node a1 and b with b1 and b2, each with its profile, and a file for all."""
    for name in ("a1", "b1", "b2"):
        Sim.init(tmp_path / name[0], node=name)
        set_nature(tmp_path / name[0], reload_seconds=0.0)
    profiles(tmp_path)
    file.write_text(tagged("a1", "b1", "b2"))
    return tmp_path


def is_live(places: Path, node: str) -> bool:
    """Whether a node has what the file wants."""
    return "iface bond0" in (places / node[0] / node / "etc/network/interfaces").read_text()


def live(places: Path) -> list[bool]:
    """The same of all three."""
    return [is_live(places, node) for node in ("a1", "b1", "b2")]


def ends(ran: Ran) -> list[tuple[str, str]]:
    """Who began and who ended, in that order."""
    return [(line["event"], line["node"]) for line in ran.lines if line["event"] in ("node", "end")]


# --- a file ----------------------------------------------------------------------------------------------------------


def test_a_plan_is_of_all_places(places: Path, run: Run) -> None:
    """Each node is read where it is; `all` names every profile."""
    ran = run("plan", *BOTH, "--json")
    assert [node["node"] for node in ran.data["nodes"]] == ["a1", "b1", "b2"]
    assert all(node["steps"] for node in ran.data["nodes"])
    assert run("plan", "--profile", "all", "--json").data == ran.data
    assert run("plan", "--profile", "a").code == errors.InvalidNetwork.exit_code
    assert places.exists()


def test_members_of_two_clusters_are_at_work_at_once(places: Path, run: Run) -> None:
    """And those of one are not: b2 begins after b1 has ended, while a1 and b1 begin before either ends."""
    for name in "ab":
        set_nature(places / name, reload_seconds=0.5)
    ran = run("apply", "-f", "network.yaml", *BOTH, "--parallel", "3", "--yes", "--json")
    assert ran.code == 0, ran.err
    order = ends(ran)
    assert order[:2] == [("node", "a1"), ("node", "b1")]
    assert order[2][0] == "end"
    assert order.index(("node", "b2")) > order.index(("end", "b1"))
    assert live(places) == [True, True, True]
    assert "one after another" in ran.err  # of the three that were asked for only two may be


def test_one_after_another_they_go_through_all_places(places: Path, run: Run) -> None:
    """Without --parallel; the SDN lock of each is held by the rollout, and nobody holds one afterwards."""
    ran = run("apply", "-f", "network.yaml", *BOTH, "--sdn-lock", "--yes", "--debug")
    assert ran.code == 0, ran.err
    asked = [line for line in ran.err.splitlines() if "POST " in line and "/cluster/sdn/lock" in line]
    assert len(asked) == 2
    assert live(places) == [True, True, True]
    assert run("plan", *BOTH).out.startswith("no changes")


def test_a_saved_plan_is_applied_where_it_was_made(places: Path, run: Run) -> None:
    """By the same profiles, once."""
    assert run("plan", *BOTH, "-o", "both.plan").code == 0
    assert run("apply", "both.plan", *BOTH, "--yes").code == 0
    assert live(places) == [True, True, True]
    assert run("apply", "both.plan", *BOTH, "--yes").code != 0


def test_a_rollout_is_gone_on_with_and_undone(places: Path, run: Run) -> None:
    """What is left of it at any place; then each node is put back where it is, the last one first."""
    ran = run("apply", "-f", "network.yaml", *BOTH, "--yes", "--fault", "reload-fails@PUT nodes/b1/network")
    assert ran.code == 8
    assert live(places) == [True, False, False]
    assert run("apply", "-f", "network.yaml", *BOTH, "--yes", "--resume").code == 0
    assert live(places) == [True, True, True]
    ran = run("rollback", "--rollout", "r1", *BOTH, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [node for event, node in ends(ran) if event == "end"] == ["b2", "b1", "a1"]
    assert live(places) == [False, False, False]


def test_what_is_staged_everywhere_is_shown_and_thrown_away(places: Path, run: Run) -> None:
    """By the commands that take several nodes."""
    assert run("apply", "-f", "network.yaml", "--stage-only", *BOTH).code == 0
    rows = run("diff", "--node", "all", *BOTH, "--json").data
    assert [(row["node"], row["pending"] is not None) for row in rows] == [("a1", True), ("b1", True), ("b2", True)]
    assert run("revert", "--node", "a1,b2", *BOTH, "--yes").code == 0
    left = sorted(path.parents[2].name for path in places.glob("*/*/etc/network/interfaces.new"))
    assert left == ["b1"]


def test_each_place_has_its_own_certificate_and_secret(places: Path, run: Run) -> None:
    """Over HTTPS: a file is planned, applied and looked at from a schedule, and no place is taken for another."""
    with Server(places / "a") as a, Server(places / "b") as b:
        write_profiles(places, *(served(places, name, each) for name, each in (("a", a), ("b", b))))
        assert run("apply", "-f", "network.yaml", *BOTH, "--parallel", "2", "--sdn-lock", "--yes").code == 0
        assert live(places) == [True, True, True]
        assert run("drift", *BOTH, "--exit-code", "--prometheus", "drift.prom").code == 0
        metrics = (places / "drift.prom").read_text()
        assert [f'pvenet_up{{node="{node}"}} 1' in metrics for node in ("a1", "b1", "b2")] == [True] * 3
        assert "iface vmbr0" in run("rescue", "--node", "b2", *BOTH).out
        write_profiles(places, served(places, "a", a), served(places, "b", b, trusts=a))
        ran = run("drift", *BOTH, "--prometheus", "drift.prom", "--json")
        assert ran.code == errors.Untrusted.exit_code
        assert [node["node"] for node in ran.data["nodes"]] == ["a1"]
        metrics = (places / "drift.prom").read_text()
        assert [f'pvenet_up{{node="{node}"}} 1' in metrics for node in ("a1", "b1", "b2")] == [True, False, False]
        ran = run("apply", "-f", "network.yaml", *BOTH, "--yes", "--skip-unreachable")
        assert ran.code == errors.Untrusted.exit_code, "whoever answers there is not away"
        assert "profile b: " in ran.err


# --- reading ---------------------------------------------------------------------------------------------------------


def test_commands_about_all_nodes_show_those_of_all_places(places: Path, run: Run) -> None:
    """As if it were one cluster."""
    assert {row["node"] for row in run("list", "--node", "all", *BOTH, "--json").data} == {"a1", "b1", "b2"}
    assert [row["node"] for row in run("status", *BOTH, "--json").data] == ["a1", "b1", "b2"]
    assert list(run("export", *BOTH, "--format", "json").data["nodes"]) == ["a1", "b1", "b2"]
    assert [node["node"] for node in run("guests", *BOTH, "--json").data["nodes"]] == ["a1", "b1", "b2"]
    assert "a1, b1, b2" in run("lint", *BOTH).err
    found = run("doctor", *BOTH, "--json").data
    assert {row["node"] for row in found} == {None, "a1", "b1", "b2"}
    logins = [row["text"] for row in found if row["check"] == "login"]
    assert [text.partition(":")[0] for text in logins] == ["a", "b"]
    assert places.exists()


def test_doctor_looks_at_all_places_at_once(places: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer delays no other."""
    met = Barrier(2, timeout=20)

    def look(*words: Any) -> Looks:
        met.wait()  # it breaks where the other is not looked at meanwhile
        return entry_findings(*words)

    monkeypatch.setattr(examine, "entry_findings", look)
    assert run("doctor", *BOTH, "--json").code == 0
    assert places.exists()


def test_a_command_about_one_node_goes_to_its_place(places: Path, run: Run) -> None:
    """The name decides; without one it says which there are."""
    assert run("bond", "create", "--slaves", "ens38,ens39", "--node", "b2", *BOTH).code == 0
    assert run("apply", "--node", "b2", *BOTH, "--yes").code == 0
    assert live(places) == [False, False, True]
    assert Journals(places / "kept", "b2").all()[-1].state is State.APPLIED
    ran = run("list", *BOTH)
    assert ran.code == errors.UsageError.exit_code
    assert "takes one node, and there are 3: a1, b1, b2" in ran.err
    for words in (("show", "vmbr0"), ("rescue",)):
        assert "this command takes one node, and 2 are named: a1, b1" in run(*words, "--node", "a1,b1", *BOTH).err
    assert "did you mean b1?" in run("list", "--node", "b11", *BOTH).err


def test_a_held_command_sends_nothing_to_any_place(places: Path, run: Run) -> None:
    """A dry run shows what would be sent."""
    ran = run("bond", "create", "--slaves", "ens38,ens39", "--node", "b1", "--dry-run", *BOTH)
    assert ran.code == 0
    assert "POST /nodes/b1/network" in ran.out
    assert not list(places.glob("*/*/etc/network/interfaces.new"))
    with Context(Options(profile="a,b", node="a1")) as context:
        context.hold()
        for place in context.places.values():
            with pytest.raises(Held):
                place.connection.put("nodes", "a1", "network")


def test_each_place_is_asked_once_for_what_is_its_own(run: Run, places: Path) -> None:
    """Its cluster and its guests, whichever number of nodes it has."""
    asked = [line for line in run("plan", *BOTH, "--debug").err.splitlines() if "/cluster/status" in line]
    assert len(asked) == 2
    asked = [line for line in run("guests", *BOTH, "--debug").err.splitlines() if "/cluster/resources" in line]
    assert len(asked) == 2
    assert places.exists()


def test_a_plan_of_a_node_by_itself_takes_one_handshake(
    tmp_path: Path, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What PVE answers once over a connection comes last, also where a bridge is touched on which guests may be."""
    file.write_text("nodes: {a1: {vmbr0: {type: bridge, mtu: 1400}}}")
    handshakes: list[str] = []
    shake = SSLSocket.do_handshake

    def counted(own: SSLSocket) -> None:
        shake(own)
        if not own.server_side:
            handshakes.append(str(own.version()))

    monkeypatch.setattr(SSLSocket, "do_handshake", counted)
    with Server(Sim.init(tmp_path / "a", node="a1")) as a:
        write_profiles(tmp_path, served(tmp_path, "a", a), dead(tmp_path))
        ran = run("plan", "--profile", "a,dead", "--debug")
    assert "~ bridge vmbr0: mtu none -> 1400" in ran.out
    assert [text in ran.err for text in ("/netstat", "/cluster/status")] == [True, True]
    assert handshakes == ["TLSv1.3"]


@pytest.mark.usefixtures("places")
def test_names_of_nics_are_remembered_where_the_node_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And at no other place."""
    found: list[tuple[Place, str]] = []
    monkeypatch.setattr(Place, "remember", lambda self, node, _: found.append((self, node)))
    with Context(Options(profile="a,b", node="b1")) as context:
        context.remember(Sight(network=Network(), cards=()))
        assert found == [(context.places["b"], "b1")]


# --- names that are not clear, and places that do not answer ---------------------------------------------------------


def test_a_name_in_two_places_is_refused_where_it_is_meant(places: Path, run: Run) -> None:
    """With the profiles; a file or a --node that does not mention it goes on, also where it has journals."""
    Sim.init(places / "a", node="b1")
    (places / "kept" / "journals" / "b1").mkdir(parents=True)
    for words in (("plan",), ("list", "--node", "all"), ("status",), ("show", "vmbr0", "--node", "b1")):
        ran = run(*words, *BOTH)
        assert ran.code == errors.UsageError.exit_code, words
        assert "b1 is the name of a node in 2 places, by the profiles a and b" in ran.err
    assert "/network" not in run("plan", *BOTH, "--debug").err, "before any node is read"
    for words in (("plan",), ("apply", "-f", "network.yaml", "--yes")):
        assert run(*words, *BOTH, "--node", "a1,b2").code == 0, words
    assert run("list", "--node", "b2", *BOTH).code == 0


def test_a_rollout_is_not_undone_where_a_name_has_become_that_of_two(places: Path, run: Run) -> None:
    """Before anybody is asked whether to; with the one profile it goes back."""
    (places / "network.yaml").write_text(tagged("b1"))
    assert run("apply", "-f", "network.yaml", *BOTH, "--yes").code == 0
    Sim.init(places / "a", node="b1")
    for words in (("rollback", "--rollout", "r1"), ("apply", "-f", "network.yaml", "--resume", "--yes")):
        ran = run(*words, *BOTH)
        assert ran.code == errors.UsageError.exit_code
        assert "b1 is the name of a node in 2 places" in ran.err
    assert is_live(places, "b1")
    assert run("rollback", "--rollout", "r1", "--yes", "--profile", "b").code == 0
    assert not is_live(places, "b1")


def test_each_place_that_nobody_checks_is_warned_of(places: Path, run: Run) -> None:
    """By its profile; a simulated one has no certificate."""
    profiles(places, dead(places))
    ran = run("list", "--node", "a1", "--profile", "all", "--insecure")
    assert [line for line in ran.err.splitlines() if "--insecure" in line] == [
        "warning: the certificate of dead is not checked (--insecure): whoever answers gets the credentials"
    ]


def test_a_dead_place_fails_its_own_nodes_alone(places: Path, run: Run) -> None:
    """Nothing is applied unless they may be left out; then the others are, and these are not reached."""
    profiles(places, dead(places))
    three = ("--profile", "a,b,dead")
    (places / "network.yaml").write_text(tagged("a1", "b1", "b2", "d1"))
    ran = run("plan", *three, "--json")
    assert ran.code == errors.Unreachable.exit_code
    assert [node["node"] for node in ran.data["nodes"]] == ["a1", "b1", "b2"]
    assert list(ran.data["errors"]) == ["d1"]
    assert ran.data["errors"]["d1"].startswith("profile dead: ")
    assert run("apply", "-f", "network.yaml", *three, "--yes").code == errors.Unreachable.exit_code
    assert live(places) == [False, False, False]
    ran = run("apply", "-f", "network.yaml", *three, "--yes", "--skip-unreachable", "--json")
    assert ran.code == 0, ran.err
    assert live(places) == [True, True, True]
    row = ran.lines[-1]["nodes"][-1]
    assert (row["node"], row["verdict"]) == ("d1", "untouched")
    assert row["message"].startswith("skipped: ")


def test_a_node_that_nobody_has_is_a_mistake_where_all_have_answered(places: Path, run: Run) -> None:
    """Where one has not, it may be there."""
    (places / "network.yaml").write_text("nodes: {a2: }\n")
    ran = run("plan", *BOTH)
    assert ran.code == errors.InvalidNetwork.exit_code
    assert "there is no node a2; there are a1, b1, b2" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--node", "all"),
        ("diff", "--node", "all"),
        ("revert", "--node", "all", "--yes"),
        ("status",),
        ("export",),
        ("guests",),
    ],
)
def test_a_dead_place_is_told_after_the_living(places: Path, run: Run, words: Sequence[str]) -> None:
    """Whoever wants all nodes sees those that are there, and that these are not all."""
    profiles(places, dead(places))
    ran = run(*words, "--profile", "all", "--json")
    assert ran.code == errors.Unreachable.exit_code
    assert "a1" in ran.out
    assert "b2" in ran.out
    assert "profile dead: " in ran.err
    assert json.loads(ran.out)


def test_a_dead_place_is_told_after_what_was_found(places: Path, run: Run) -> None:
    """Of those that are there."""
    profiles(places, dead(places))
    ran = run("lint", "--profile", "all")
    assert ran.code == errors.Unreachable.exit_code
    assert "a1, b1, b2" in ran.err
    assert "profile dead: " in ran.err


def test_what_brings_back_the_only_node_that_is_known_is_not_all_there_may_be(places: Path, run: Run) -> None:
    """The node that is wanted may be at the place that does not answer."""
    profiles(places, dead(places))
    ran = run("rescue", "--profile", "a,dead")
    assert ran.code == errors.Unreachable.exit_code
    assert "iface vmbr0" in ran.out
    assert "profile dead: " in ran.err
    assert run("rescue", "--profile", "a,dead", "--node", "a1").code == 0


def test_one_node_of_a_living_place_is_changed_beside_a_dead_one(places: Path, run: Run) -> None:
    """What is not known elsewhere is no reason; a node that may be there does not answer."""
    profiles(places, dead(places))
    assert run("bond", "create", "--slaves", "ens38,ens39", "--node", "a1", "--profile", "all").code == 0
    assert run("list", "--node", "d1", "--profile", "all").code == errors.Unreachable.exit_code
    ran = run("show", "vmbr0", "--profile", "a,dead")
    assert ran.code == errors.Unreachable.exit_code, "a1 may be the only node, or not"
    states = {row["check"]: row["state"] for row in run("doctor", "--profile", "all", "--json").data}
    assert states["port"] == "bad"
    told = [row["text"] for row in run("doctor", "--profile", "all", "--json").data if row["state"] == "unknown"]
    assert told
    assert all(text.startswith("dead: ") for text in told)
    unnamed, named = (
        [row["check"] for row in run("doctor", "--profile", "all", *words, "--json").data if row["node"] is None]
        for words in ((), ("--node", "a1"))
    )
    assert len(unnamed) > len(named), "what was not looked at on nodes of which nobody knows"


def test_a_place_that_does_not_list_its_nodes_is_not_called_healthy(
    places: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lets doctor in, and refuses the list: of its nodes nothing is known, and that is said."""

    def listed(connection: Connection) -> tuple[str, ...]:
        if "b1" in (found := cluster.names(connection)):
            raise errors.RefusedByPVE("GET /nodes: PVE answers 500", status=500)
        return found

    monkeypatch.setattr(module, "names", listed)
    found = run("doctor", *BOTH, "--json").data
    unknown = {row["check"]: row["text"] for row in found if row["state"] == "unknown"}
    assert {*unknown} == {*NODE}
    assert all(text.startswith("b: not checked: GET /nodes") for text in unknown.values())
    named = run("doctor", *BOTH, "--node", "a1", "--json").data
    assert all(row["state"] != "unknown" for row in named), "a1 is all that is wanted"
    assert places.exists()


def test_places_that_all_are_dead_are_told_together(places: Path, run: Run) -> None:
    """As one that is."""
    profiles(places, dead(places), dead(places).replace("profiles.dead", "profiles.gone"))
    for words in (("plan",), ("list", "--node", "all"), ("status",), ("show", "vmbr0", "--node", "d1")):
        ran = run(*words, "--profile", "dead,gone")
        assert ran.code == errors.Unreachable.exit_code, words


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "variable", "told"),
    [
        (("--sim", "x"), None, "--sim names one place, and 2 profiles are named: a, b"),
        (("--endpoint", "https://x:8006"), None, "--endpoint names one place"),
        ((), ("PVENET_SIM", "x"), "PVENET_SIM names one place"),
        ((), ("PVENET_ENDPOINT", "https://x:8006"), "PVENET_ENDPOINT names one place"),
    ],
)
@pytest.mark.usefixtures("places")
def test_a_place_beside_several_profiles_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: Sequence[str], variable: tuple[str, str] | None, told: str
) -> None:
    """With what to leave out; also where the environment names the profiles."""
    if variable:
        monkeypatch.setenv(*variable)
    ran = run("list", *words, *BOTH)
    assert (ran.code, told in ran.err) == (errors.UsageError.exit_code, True)
    assert "leave out " in ran.err
    monkeypatch.setenv("PVENET_PROFILE", "a,b")
    assert told in run("list", *words).err


def test_journals_in_two_folders_are_refused(places: Path, run: Run) -> None:
    """Unless --state-dir names one for all."""
    text = f'[profiles.c]\nsim = "{places / "b"}"\nnode = "b1"\n'
    profiles(places, text)
    ran = run("list", "--node", "all", "--profile", "a,c")
    assert ran.code == errors.UsageError.exit_code
    assert "keep their journals in different folders" in ran.err
    rows = run("status", "--profile", "c,a", "--state-dir", str(places / "x"), "--json").data
    assert {row["node"] for row in rows} == {"a1", "b1", "b2"}, "a profile's own node is for it alone"


def test_profiles_that_verify_otherwise_are_refused_where_it_matters(places: Path, run: Run) -> None:
    """Unless the command says it for all; what only reads does not care."""
    profiles(places, f'[profiles.c]\nsim = "{places / "b"}"\nstate_dir = "{places / "kept"}"\nverify = "flags"\n')
    ac = ("--profile", "a,c")
    assert run("plan", *ac).code == 0
    ran = run("apply", "-f", "network.yaml", *ac, "--yes")
    assert ran.code == errors.UsageError.exit_code
    assert "the profiles differ in verify: a says nothing, c says flags" in ran.err
    assert run("apply", "-f", "network.yaml", *ac, "--yes", "--verify", "flags").code == 0
    assert live(places) == [True, True, True]


def test_what_is_about_one_place_takes_one_profile(places: Path, run: Run) -> None:
    """And says so; a list with an empty name is a mistake."""
    assert "this is about one place, and 2 profiles are named: a, b" in run("config", "show", *BOTH).err
    assert "holds an empty name" in run("list", "--profile", "a,").err
    ran = run("list", "--profile", "a,x")
    assert "there is no profile x" in ran.err
    assert ran.err.endswith("there are: a, b\n\nhint: `pvenet login` makes one\n")
    assert run("list", "--profile", "a,a").code == 0
    profiles(places, f'[profiles.all]\nsim = "{places / "a"}"\nstate_dir = "{places / "kept"}"\n')
    assert run("list", "--profile", "all").code == 0, "it is the name of one"


def test_the_environment_names_several_too(places: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option with one of them wins."""
    monkeypatch.setenv("PVENET_PROFILE", "a, b")
    monkeypatch.setenv("PVENET_NODE", "all")
    assert {row["node"] for row in run("list", "--json").data} == {"a1", "b1", "b2"}
    assert {row["node"] for row in run("list", "--profile", "b", "--json").data} == {"b1", "b2"}
    assert places.exists()
