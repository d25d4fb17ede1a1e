"""What a configuration management gets: one call, one result as plain data."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import FIXTURES

from pvenet import errors
from pvenet.automation import answer
from pvenet.automation.answer import result_of
from pvenet.automation.options import said
from pvenet.automation.parameters import apply_options_of, place_of, settings_of
from pvenet.automation.work import Work
from pvenet.connection import Held
from pvenet.events import TaskEnded
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.faults import Script
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

SECRET = "11111111-2222-3333-4444-555555555555"
BONDED: dict[str, Any] = {
    "bond0": {"type": "bond", "slaves": ["ens38", "ens39"], "mode": "balance-rr"},
    "vmbr1": {"type": "bridge", "ports": ["bond0"], "comments": "For tagged traffic"},
}
WIDENED = {"vmbr0": {"type": "bridge", "ports": ["ens33", "ens37"]}}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing but the parameters says where to go."""
    for name in ("PVENET_SIM", "PVENET_ENDPOINT", "PVENET_TOKEN_ID", "PVENET_TOKEN_SECRET", "PVENET_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Asks something of a simulated node; whatever comes back is plain data."""

    def call(verb: str, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
        found = answer(verb, {"sim": str(tmp_path / "lab"), **parameters}, check=check)
        return dict(json.loads(json.dumps(found)))

    return call


def live(tmp_path: Path) -> str:
    return (tmp_path / "lab/pve1/etc/network/interfaces").read_text()


def order(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A fault of the next reload."""
    send = SimAdapter.send

    def watched(self: SimAdapter, request: requests.PreparedRequest, **rest: Any) -> requests.Response:
        if request.method == "PUT" and (request.url or "").endswith("/network"):
            self.front.script = Script([f"{fault}@1"])
            monkeypatch.setattr(SimAdapter, "send", send)
        return send(self, request, **rest)

    monkeypatch.setattr(SimAdapter, "send", watched)


# --- interfaces ---


def test_a_second_run_changes_nothing(ask: Callable[..., Any], tmp_path: Path) -> None:
    """The first one applies and says what it has verified; the second one finds it so."""
    first, second = (ask("interfaces", config=BONDED) for _ in range(2))
    assert (first["changed"], first["verdict"], first["node"]) == (True, "applied", "pve1")
    assert {each["name"] for each in first["interfaces"]} >= {"bond0", "vmbr1"}
    assert "+\tbond-mode balance-rr" in first["diff"]["prepared"]  # PVE's own
    assert first["diff"]["prepared"].count("+ bond bond0: slaves ens38,ens39") == 1  # and what it means
    assert "failed" not in first
    assert (second["changed"], second["warnings"], "diff" in second) == (False, [], False)
    assert "bond-mode balance-rr" in live(tmp_path)


def test_a_check_tells_and_changes_nothing(ask: Callable[..., Any], tmp_path: Path) -> None:
    """The plan is in the diff; neither the node nor the state folder is written."""
    ask("facts")
    before = {path: path.read_bytes() for path in (tmp_path / "lab/pve1/etc").rglob("*") if path.is_file()}
    found = ask("interfaces", config=BONDED, check=True)
    assert found["changed"]
    assert "+ bond bond0" in found["diff"]["prepared"]
    assert before == {path: path.read_bytes() for path in (tmp_path / "lab/pve1/etc").rglob("*") if path.is_file()}
    assert not list((tmp_path / "lab/.pvenet").rglob("*.json"))


def test_a_check_of_any_kind_writes_nothing(ask: Callable[..., Any], tmp_path: Path) -> None:
    """No journal, no lock, no word beside them; and whoever would send something there could not."""
    ask("interfaces", config=BONDED)
    ask("interfaces", config={"vmbr9": {"type": "bridge"}}, apply=False)
    before = state(tmp_path)
    for verb in ("apply", "rollback", "confirm"):
        ask(verb, check=True)
    ask("interfaces", config={"vmbr9": {"type": "bridge"}}, check=True)
    ask("interfaces", config={}, state="overridden", allow_management=True, check=True)
    assert state(tmp_path) == before
    nowhere = tmp_path / "nowhere"
    for verb in ("apply", "rollback", "confirm"):
        ask(verb, check=True, adopt=True, state_dir=str(nowhere))
    assert not nowhere.exists()
    place = place_of({"sim": str(tmp_path / "lab")}, held=True, warn=lambda _: None)
    with pytest.raises(Held):
        place.node.connection.put("nodes", "pve1", "network")


def state(tmp_path: Path) -> dict[Path, bytes]:
    """What is kept of journals."""
    return {path: path.read_bytes() for path in (tmp_path / "lab/.pvenet").rglob("*") if path.is_file()}


def test_what_is_staged_already_is_made_live(ask: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing is left to stage, and something to apply."""
    staged, made, again = (ask("interfaces", config=BONDED, apply=apply) for apply in (False, True, True))
    assert [found["changed"] for found in (staged, made, again)] == [True, True, False]
    assert made["verdict"] == "applied"
    assert "iface bond0" in live(tmp_path)


def test_a_node_that_can_not_be_read_is_told(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the right that is missing."""
    ask("facts")

    def lacks(_: object) -> None:
        raise errors.PermissionMissing("Sys.Audit is missing", hint="grant it", privilege="Sys.Audit", path="/nodes")

    monkeypatch.setattr("pvenet.node.Node.read", lacks)
    found = ask("interfaces", config=BONDED)
    assert (found["failed"], found["kind"], "Sys.Audit is missing" in found["msg"]) == (True, "permission", True)


def test_a_check_tells_what_a_run_would_stop_at(ask: Callable[..., Any], tmp_path: Path) -> None:
    """A check shows what it can and warns; the run itself fails, in the words of parameters, and sends nothing."""
    ask("facts")
    before = live(tmp_path)
    checked, ran = ask("interfaces", config=WIDENED, check=True), ask("interfaces", config=WIDENED)
    assert (checked["changed"], checked["would_stop"]["kind"]) == (True, "management_risk")
    assert any("a run would stop here" in warning for warning in checked["warnings"])
    assert (ran["failed"], ran["changed"], ran["kind"], ran["exit"]) == (True, False, "management_risk", 7)
    assert "add allow_management: true" in ran["msg"]
    assert "--allow" not in json.dumps([checked, ran])
    assert ("would_stop" in ran, ran["warnings"]) == (False, [])
    assert live(tmp_path) == before
    assert ask("interfaces", config=WIDENED, allow_management=True)["changed"]


def test_a_reload_that_fails_is_told_and_rolled_back(
    ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict, the log's line, the journal, what to do; and nothing has changed."""
    ask("facts")
    order(monkeypatch, "reload-fails=1:error: bond0: nobody knows")
    found = ask("interfaces", config=BONDED)
    assert (found["failed"], found["verdict"], found["rolled_back"]) == (True, "rolled_back", True)
    assert not found["changed"]
    assert "error: bond0: nobody knows" in found["msg"]
    assert found["msg"].count(found["journal"]) == 1
    assert "bond0" not in live(tmp_path)


def test_the_logs_line_is_told_where_the_message_has_none_of_it() -> None:
    """The line that speaks of an error, or else the last one."""
    for log, line in ((("up", "error: no such NIC", "down"), "error: no such NIC"), (("up", "over"), "over")):
        work = Work(parameters={}, check=False)
        work.heard.emit(TaskEnded(node="pve1", upid="UPID:pve1:", exitstatus="exit code 1", log=log))
        found = result_of(work, errors.StateUnknown("nobody knows", hint="look"))
        assert found["msg"] == f"nobody knows\nlook\nthe log says: {line}"
        assert found["log"] == list(log)
    assert "the log says" not in result_of(work, errors.ApplyFailed("it is over"))["msg"]


def test_what_fails_and_is_kept_has_changed(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """`on_failure: keep` leaves the node as the reload has made it."""
    ask("facts")
    order(monkeypatch, "reload-fails")
    found = ask("interfaces", config=BONDED, on_failure="keep")
    assert (found["failed"], found["changed"], found["rolled_back"], found["verdict"]) == (True, True, False, "failed")
    assert found["msg"].count(found["journal"]) == 1


def test_overridden_removes_what_is_not_mentioned(ask: Callable[..., Any], tmp_path: Path) -> None:
    """Merged leaves it alone; the way to the node stays also so, and is told."""
    ask("interfaces", config=BONDED)
    one = {"bond0": BONDED["bond0"]}
    assert not ask("interfaces", config=one)["changed"]
    gone = ask("interfaces", config=one, state="overridden")
    assert gone["changed"]
    assert "vmbr1" not in live(tmp_path)
    assert any("vmbr0 is not mentioned and stays" in line for line in gone["plan"]["kept"])


def test_deleted_removes_what_is_named(ask: Callable[..., Any], tmp_path: Path) -> None:
    """Whatever the entries say; what is not there already is no change."""
    ask("interfaces", config=BONDED)
    first, second = (ask("interfaces", config={"vmbr1": None, "bond0": {}}, state="deleted") for _ in range(2))
    assert (first["changed"], second["changed"]) == (True, False)
    assert "bond0" not in live(tmp_path)
    assert "vmbr0" in live(tmp_path)


def test_a_file_says_it_for_its_node(ask: Callable[..., Any], tmp_path: Path) -> None:
    """With its defaults; a node that it does not have is told."""
    file = tmp_path / "network.yaml"
    file.write_text(f"defaults: {json.dumps(BONDED)}\nnodes: {{pve1: {{}}}}\n")
    assert ask("interfaces", file=str(file))["changed"]
    file.write_text("nodes: {pve7: {}}\n")
    assert "does not mention the node pve1" in ask("interfaces", file=str(file))["msg"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"bond0": {"type": "bund"}}, "config: bond0: bund is not a type"),
        ({"vmbr1": {"type": "bridge", "portz": ["ens38"]}}, "did you mean ports?"),
        ({"bond0": {"type": "bond", "slaves": ["nic9"]}}, "nic9"),
        ({"vmbr1": {"type": "bridge", "mtu": "large"}}, "mtu must be a whole number"),
    ],
)
def test_what_can_not_be_is_told_without_lines(ask: Callable[..., Any], config: Any, words: str) -> None:
    """There is no line in what was never a file."""
    found = ask("interfaces", config=config)
    assert (found["failed"], found["kind"], found["changed"]) == (True, "invalid", False)
    assert words in found["msg"]
    assert "config:0" not in found["msg"]
    assert "line 0" not in found["msg"]


@pytest.mark.parametrize("parameters", [{}, {"config": {}, "file": "network.yaml"}])
def test_what_shall_be_is_said_once(ask: Callable[..., Any], parameters: Any) -> None:
    assert "needs a `config` or a `file`" in ask("interfaces", **parameters)["msg"]


def test_staged_only_is_no_change_twice(ask: Callable[..., Any], tmp_path: Path) -> None:
    """`apply: false` stages; `apply` makes it live; each says once that it has changed something."""
    ask("facts")
    before = live(tmp_path)
    first, second = (ask("interfaces", config=BONDED, apply=False) for _ in range(2))
    assert (first["changed"], first["verdict"], second["changed"]) == (True, "staged", False)
    assert live(tmp_path) == before
    checked = ask("apply", check=True)
    assert (checked["changed"], [each["method"] for each in checked["requests"]]) == (True, ["PUT"])
    assert live(tmp_path) == before
    assert [ask("apply")["changed"] for _ in range(2)] == [True, False]
    assert not ask("apply", check=True)["changed"]


def test_what_is_gathered_is_no_change_when_it_is_asked_for(ask: Callable[..., Any]) -> None:
    """The same node, described by itself."""
    ask("interfaces", config=BONDED)
    config = ask("interfaces", state="gathered")["gathered"]
    assert config["bond0"] == BONDED["bond0"]
    assert not ask("interfaces", config=config, state="overridden")["changed"]


def test_rendered_is_what_parsed_reads() -> None:
    """Both without any node: the file that PVE would write, and out of it the same configuration."""
    rendered = answer("interfaces", {"state": "rendered", "config": BONDED})
    assert "\tbond-mode balance-rr\n" in rendered["rendered"]
    assert [each["form"]["iface"] for each in rendered["requests"]] == ["bond0", "vmbr1"]
    assert not rendered["changed"]
    parsed = answer("interfaces", {"state": "parsed", "running_config": rendered["rendered"]})["parsed"]
    assert {name: parsed[name] for name in BONDED} == BONDED


def test_parsed_reads_a_listing() -> None:
    """`pvesh get /nodes/NODE/network --output-format json`; what is no listing is told."""
    entries = [{"iface": "vmbr0", "type": "bridge", "bridge_ports": "eno1", "autostart": 1, "method": "manual"}]
    found = answer("interfaces", {"state": "parsed", "running_config": json.dumps(entries)})
    assert found["parsed"] == {"vmbr0": {"type": "bridge", "ports": ["eno1"]}}
    for text in ("[1]", '{"data": 7}', "[{}]", ""):
        assert answer("interfaces", {"state": "parsed", "running_config": text})["kind"] == "usage"


def test_open_vswitch_is_rendered_too() -> None:
    """Of a machine that has it."""
    config = {"vmbr1": {"type": "OVSBridge", "ports": ["eno2"]}}
    assert "ovs_type OVSBridge" in answer("interfaces", {"state": "rendered", "config": config})["rendered"]


# --- live ---


def test_a_rollback_puts_back_what_was_there(ask: Callable[..., Any], tmp_path: Path) -> None:
    """A check says what it would send; a second one has nothing to do."""
    ask("interfaces", config=BONDED)
    checked = ask("rollback", check=True)
    assert (checked["changed"], checked["requests"][-1]["method"]) == (True, "PUT")
    assert "bond0" in live(tmp_path)
    assert [ask("rollback")["changed"] for _ in range(2)] == [True, False]
    assert "bond0" not in live(tmp_path)


def test_what_waits_is_confirmed_once(ask: Callable[..., Any], tmp_path: Path) -> None:
    """Whoever waits hears it and stays; a second confirmation finds it so."""
    ask("facts", gather=["config"])  # there is a node, which two would make at once
    ends: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: ends.append(ask("interfaces", config=BONDED, confirm_within=30.0)))
    waiting.start()
    until = time.monotonic() + 20
    while (found := ask("confirm")).get("failed") and time.monotonic() < until:
        time.sleep(0.1)
    waiting.join()
    assert (found["changed"], ends[0]["changed"], ends[0]["verdict"]) == (True, True, "applied")
    assert (ask("confirm")["changed"], ask("confirm", check=True)["changed"]) == (False, False)
    assert "bond0" in live(tmp_path)


def test_what_was_rolled_back_can_not_be_confirmed(ask: Callable[..., Any]) -> None:
    """Nothing waits for it: that is a failure, with what to do."""
    ask("interfaces", config=BONDED)
    ask("rollback")
    found = ask("confirm")
    assert (found["failed"], "nothing is waiting to be confirmed on pve1" in found["msg"]) == (True, True)


# --- facts ---


def test_facts_are_what_the_commands_show(ask: Callable[..., Any]) -> None:
    """Each part that was asked for, and no other."""
    ask("interfaces", config=BONDED, apply=False)
    found = ask("facts")["ansible_facts"]["pvenet"]
    assert set(found) == {"node", "interfaces", "config", "pending", "links", "guests"}
    assert (found["pending"]["pending"], found["pending"]["ours"]) == (True, True)
    assert "+auto bond0" in found["pending"]["changes"]
    assert found["config"]["bond0"]["slaves"] == ["ens38", "ens39"]
    assert {each["name"] for each in found["links"]["links"]} >= {"vmbr0", "ens33"}
    assert {each["name"] for each in found["guests"]["bridges"]} >= {"vmbr0"}
    assert set(ask("facts", gather=["pending"])["ansible_facts"]["pvenet"]) == {"node", "pending"}


def test_what_a_right_hides_is_null_with_a_warning(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is there all the same."""
    from pvenet.automation import facts

    def lacks(*_: object) -> None:
        raise errors.PermissionMissing("VM.Audit is missing", hint="grant it", privilege="VM.Audit", path="/vms")

    monkeypatch.setattr(facts, "look", lacks)
    found = ask("facts")
    assert found["ansible_facts"]["pvenet"]["links"] is None
    assert found["ansible_facts"]["pvenet"]["interfaces"]
    assert "pve1: VM.Audit is missing\ngrant it" in found["warnings"]


@pytest.mark.parametrize("part", ["interfaces", "config", "pending", "links", "guests"])
def test_facts_of_a_node_that_does_not_answer_are_none(ask: Callable[..., Any], part: str) -> None:
    """Whichever is asked for: what decides by a fact stops there, as an unreachable host or a failed task."""
    given = {"sim": None, "node": "pve1", "api_token_id": "root@pam!x", "api_token_secret": SECRET}
    found = ask("facts", **given, api_host=["127.0.0.1:1"], gather=[part])
    assert (found.get("kind"), "ansible_facts" in found) == ("unreachable", False)


@pytest.mark.parametrize("part", ["interfaces", "config", "pending", "links", "guests"])
def test_facts_are_not_for_whom_the_node_does_not_know(ask: Callable[..., Any], tmp_path: Path, part: str) -> None:
    """Credentials that are not accepted are no missing right."""
    ask("facts")
    with Server(tmp_path / "lab") as server:
        at = server.endpoint
        given = {"sim": None, "api_host": [at.url], "fingerprint": [at.fingerprint], "node": "pve1"}
        token = {"api_token_id": at.token_id, "api_token_secret": SECRET}
        found = ask("facts", **given, **token, gather=[part])
    assert (found.get("kind"), "ansible_facts" in found) == ("authentication", False)


# --- where to go ---


@pytest.mark.parametrize(
    ("given", "endpoints"),
    [
        ({"api_host": ["pve1"]}, ("pve1",)),
        ({"api_host": ["pve1", "pve2:8007"], "api_port": 8106}, ("pve1:8106", "pve2:8007")),
        ({"api_host": ["https://pve1/"], "api_port": 443}, ("https://pve1:443",)),
        ({"api_host": ["fd00::1"], "api_port": 443}, ("[fd00::1]:443",)),
        ({"api_host": ["[fd00::1]:8007"], "api_port": 443}, ("[fd00::1]:8007",)),
    ],
)
def test_hosts_are_named_as_neighbours_name_them(given: Any, endpoints: tuple[str, ...]) -> None:
    """The port apart from the host, and a whole URL as well."""
    assert settings_of(given).endpoints == endpoints


def test_a_port_that_is_none_is_refused() -> None:
    """0 is what was given, and not nothing."""
    found = answer("facts", {"api_host": ["pve1"], "api_port": 0, "api_user": "root@pam", "api_password": "x"})
    assert found["message"] == "'pve1:0' is not an endpoint"


@pytest.mark.parametrize("name", ["pvenet", "root@pam!pvenet"])
def test_a_token_is_named_whole_or_beside_its_user(name: str) -> None:
    """community.proxmox names its user apart."""
    given = {"api_host": ["pve1"], "api_user": "root@pam", "api_token_id": name, "api_token_secret": SECRET}
    identity = settings_of(given).identity
    assert (identity.token_id, identity.token_secret, identity.user) == ("root@pam!pvenet", SECRET, "")


def test_parameters_win_over_the_environment_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is given never goes with another's fingerprint; what is not given comes from the environment."""
    monkeypatch.setenv("PVENET_ENDPOINT", "https://elsewhere:8006")
    monkeypatch.setenv("PVENET_TOKEN_ID", "ops@pve!net")
    monkeypatch.setenv("PVENET_TOKEN_FILE", "/nowhere")
    monkeypatch.setenv("PVENET_VERIFY", "flags")
    given = {"api_host": ["pve1"], "api_token_id": "root@pam!pvenet", "api_token_secret": SECRET}
    settings = settings_of(given)
    assert (settings.endpoints, settings.identity.token_id, settings.identity.token_file) == (
        ("pve1",),
        "root@pam!pvenet",
        "",
    )
    assert apply_options_of(given, settings).verify == "flags"
    assert settings_of({}).endpoints == ("https://elsewhere:8006",)


def test_parameters_win_over_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As options do; a profile says the rest."""
    folder = tmp_path / "config" / "pvenet"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[profiles.lab]\nendpoints = ["https://lab:8006"]\nnode = "lab1"\n')
    monkeypatch.setenv("PVENET_ENDPOINT", "https://elsewhere:8006")
    assert settings_of({"profile": "lab"}).endpoints == ("https://lab:8006",)
    settings = settings_of({"profile": "lab", "api_host": ["pve1"]})
    assert (settings.endpoints, settings.node) == (("pve1",), "lab1")


def test_validate_certs_is_on_unless_it_is_switched_off() -> None:
    """Otherwise than community.proxmox has it."""
    assert not settings_of({"api_host": ["pve1"]}).insecure
    assert settings_of({"api_host": ["pve1"], "validate_certs": False}).insecure


# --- what nobody foresaw ---


def test_no_secret_is_in_a_result(ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in that of a fault of our own either, whose text may hold anything."""

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("pvenet.automation.interfaces.plan_nodes", fails)
    found = ask(
        "interfaces",
        config=BONDED,
        api_token_id="root@pam!full",
        api_token_secret=SECRET,
        sim=None,
        api_host=["127.0.0.1:1"],
    )
    again = ask("interfaces", config=BONDED)
    assert again["kind"] == "unexpected"
    assert SECRET not in json.dumps([found, again])


def test_a_node_that_is_not_there_is_unreachable() -> None:
    """By that word Ansible's unreachable hosts are told from failed ones."""
    given = {"api_host": ["127.0.0.1:1"], "api_token_id": "root@pam!x", "api_token_secret": SECRET, "config": BONDED}
    found = answer("interfaces", given)
    assert (found["failed"], found["kind"], found["changed"]) == (True, "unreachable", False)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("if that is intended, add --allow-management", "if that is intended, add allow_management: true"),
        ("add --allow-guests 101,205", "add allow_guests: [101, 205]"),
        (
            "add --lossy --allow-management --allow-guests 101,205",
            "add lossy: true, allow_management: true, allow_guests: [101, 205]",
        ),
        ("(refused without --lossy)", "(refused without lossy: true)"),
        ("wait longer next time with --timeout", "wait longer next time with timeout"),
        ("`pvenet status --node pve1 --same-node` says", "`pvenet status --node pve1 --same-node` says"),
        ("choose one with --node or PVENET_NODE", "choose one with node"),
        ("set --endpoint (PVENET_ENDPOINT), PVENET_TOKEN_ID", "set api_host, api_token_id"),
        ("  export PVENET_FINGERPRINT=AB:CD", "  fingerprint: AB:CD"),
        ("name the CA: PVENET_CA_FILE=/etc/ca.pem", "name the CA: ca_path: /etc/ca.pem"),
        ("PVENET_TOKEN_FILE or PVENET_TOKEN_COMMAND", "api_token_file or PVENET_TOKEN_COMMAND"),
        ("`PVENET_NODE=pve1 pvenet list`, PVENET_NODES", "`PVENET_NODE=pve1 pvenet list`, PVENET_NODES"),
        ("the certificate is not checked (--insecure)", "the certificate is not checked (validate_certs: false)"),
        ("name the file with -f", "name the file with `file`"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
    ],
)
def test_messages_are_in_the_words_of_parameters(text: str, read: str) -> None:
    """A command between backticks stays one; what a terminal obeys is shown."""
    assert said(text) == read


def test_the_recorded_file_is_parsed() -> None:
    """A file that a real node wrote."""
    text = (FIXTURES / "walkthrough/interfaces.applied").read_text()
    found = answer("interfaces", {"state": "parsed", "running_config": text})["parsed"]
    assert found["vmbr0"]["cidr"] == "192.168.171.21/24"


def test_the_recorded_listing_is_parsed() -> None:
    """Also of a node whose VLAN stands on nothing, which is in it without a type (pve-api#f44)."""
    texts = (FIXTURES / "real/7-bad.jsonl").read_text().splitlines()
    (recorded,) = (each for each in map(json.loads, texts) if each["name"] == "list-after-vlan-raw-missing")
    found = answer("interfaces", {"state": "parsed", "running_config": recorded["response"]["body"]})
    assert found["parsed"]["ens77.5"]["type"] == "vlan", found
    assert found["parsed"]["vmbr0"]["cidr"] == "10.0.2.15/24"


def test_nobody_is_trusted_unseen_without_a_word(ask: Callable[..., Any]) -> None:
    """`validate_certs: false` warns, as `--insecure` does; a pinned fingerprint is checked all the same."""
    given = {"sim": None, "api_host": ["127.0.0.1:1"], "api_token_id": "root@pam!x", "api_token_secret": SECRET}
    told = "the certificate is not checked (validate_certs: false): whoever answers gets the credentials"
    assert ask("facts", **given, validate_certs=False)["warnings"] == [told]
    assert ask("facts", **given, validate_certs=False, fingerprint=[":".join(["AB"] * 32)])["warnings"] == []


def test_a_host_and_a_simulated_node_exclude_each_other(ask: Callable[..., Any]) -> None:
    """Neither is meant silently."""
    assert "exclude each other" in ask("facts", api_host=["127.0.0.1:1"])["msg"]


@pytest.mark.parametrize("seconds", [0, 0.0, -1, float("nan")])
def test_a_timeout_is_a_number_of_seconds(ask: Callable[..., Any], tmp_path: Path, seconds: float) -> None:
    """No time is not the default."""
    ask("facts")
    before = live(tmp_path)
    assert "not a number of seconds" in ask("interfaces", config=BONDED, timeout=seconds)["msg"]
    assert live(tmp_path) == before


def test_a_warning_says_of_which_node_it_is() -> None:
    """Once: Ansible shows the warnings of all hosts alike; one that names its node already is left as it is."""
    work = Work(parameters={"node": "pve1"}, check=False)
    for text in (
        "ens37 stays up",
        "ens37 stays up",
        "ens38 stays up, as on pve11",
        "this widens the path of pve1: ens33",
    ):
        work.heard.warn(text)
    assert result_of(work, None)["warnings"] == [
        "pve1: ens37 stays up",
        "pve1: ens38 stays up, as on pve11",
        "this widens the path of pve1: ens33",
    ]
    nameless = Work(parameters={}, check=False)
    nameless.heard.warn("ens37 stays up")
    assert result_of(nameless, None)["warnings"] == ["ens37 stays up"]


@pytest.mark.parametrize(
    "config",
    [
        {"vmbr5": {"type": "bridge", "ports": ["bond7"]}},
        {"vmbr5": {"type": "bridge", "ports": ["eno1.5"]}},
        {"bond0.5": {"type": "vlan"}},
        {"vlan7": {"type": "vlan", "raw_device": "vmbr3"}},
    ],
)
def test_what_is_no_nic_by_its_name_has_to_be_described(config: Any) -> None:
    """A node that has nothing but its NICs has no bond, no bridge and no VLAN that nobody made."""
    found = answer("interfaces", {"state": "rendered", "config": config})
    assert found["failed"], found
    assert "rendered" not in found


@pytest.mark.parametrize("text", ["garbage", "auto eth0\n", '[{"iface": 5}]', '[{"iface": "eth0"}]', "[]"])
def test_what_holds_no_interface_is_not_parsed(text: str) -> None:
    """A configuration of nothing, made of what was never a node's file, would take everything away."""
    found = answer("interfaces", {"state": "parsed", "running_config": text})
    assert (found.get("failed"), found.get("kind")) == (True, "usage"), found


def test_what_a_configuration_can_not_hold_is_told() -> None:
    """Kinds that nobody describes, and lines that no call of the API sets: gone from what is parsed, with a warning."""
    file = "iface eth0 inet dhcp\n\tpost-up echo hi\n"
    listing = '[{"iface": "wlan0", "type": "unknown", "method": "manual"}]'
    told = [answer("interfaces", {"state": "parsed", "running_config": text}) for text in (file, listing)]
    assert [found["parsed"] for found in told] == [{}, {}]
    assert [found["warnings"] for found in told] == [
        ["node: eth0: in the file besides: inet dhcp", "node: eth0: in the file besides: post-up echo hi"],
        ["node: wlan0: of the kind unknown, which pvenet does not write"],
    ]
