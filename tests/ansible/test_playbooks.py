"""The collection, run by the real `ansible-playbook` against three nodes that `pvenet sim serve` serves."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from loopback import closed_port
from playbooks import NODES, Lab, needs_ansible, served, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = needs_ansible

BONDED = {
    "bond0": {"type": "bond", "slaves": ["ens38", "ens39"], "mode": "balance-rr"},
    "vmbr1": {"type": "bridge", "ports": ["bond0"]},
}
WIDENED = {"vmbr0": {"type": "bridge", "ports": ["ens33", "ens37"]}}
PASSWORD = "correct-horse-battery"
MAKE = {"pvenet.network.interfaces": {"config": BONDED}}
Serve = "Callable[[Mapping[str, str]], Lab]"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Serves three nodes, each with its fault where it has one."""
    with ExitStack() as stack:
        yield lambda **faults: stack.enter_context(served(tmp_path, faults))


def test_present_again_check_and_diff(serve: Callable[..., Lab]) -> None:
    """A check with its diff changes nothing; a run changes each node; a second run none."""
    lab = serve()
    before = [lab.live(node) for node in NODES]
    checked = lab.play(tasks(MAKE), "--check", "--diff")
    assert (checked.code, [lab.live(node) for node in NODES]) == (0, before)
    assert checked.text.count("  + bond bond0: slaves ens38,ens39, mode balance-rr, autostart") == len(NODES)
    ran = lab.play(tasks(MAKE, {"pvenet.network.facts": {"gather": ["pending"]}}, become=True), "--diff")
    assert [ran.count(node, "changed") for node in NODES] == [1, 1, 1]
    assert ran.text.count("+\tbond-mode balance-rr\n") == len(NODES)
    assert all("bond-mode balance-rr" in lab.live(node) for node in NODES)
    result, facts = ran.results("pve3")
    assert (result["node"], result["verdict"]) == ("pve3", "applied")
    assert facts["ansible_facts"]["pvenet"]["pending"]["state"] == "applied"
    again = lab.play(tasks(MAKE), "--diff")
    assert (again.code, [again.count(node, "changed") for node in NODES]) == (0, [0, 0, 0])


def test_a_reload_that_fails_is_a_failed_task(serve: Callable[..., Lab]) -> None:
    """With the verdict, the log's line, the journal and what to do; it was rolled back, so that nothing has changed."""
    lab = serve(pve1="reload-fails=1:error: bond0: nobody knows@PUT network")
    ran = lab.play(tasks(MAKE))
    (failed,) = ran.results("pve1")
    assert (ran.code, failed["verdict"], failed["rolled_back"], failed["changed"]) == (2, "rolled_back", True, False)
    assert "error: bond0: nobody knows" in failed["msg"]
    assert failed["msg"].count(failed["journal"]) == 1
    assert "bond0" not in lab.live("pve1")
    assert [ran.count(node, "changed") for node in NODES] == [0, 1, 1]


def test_a_way_that_is_cut_comes_back(serve: Callable[..., Lab]) -> None:
    """The node does not answer after the reload: what was there before is put back, and the task says so."""
    lab = serve(pve2="path-lost=4@PUT network")
    wanted = {"config": WIDENED, "allow_management": True, "timeout": 3}
    ran = lab.play(tasks({"pvenet.network.interfaces": wanted}), "--limit", "pve2")
    (failed,) = ran.results("pve2")
    assert (ran.code, failed["rolled_back"], failed["changed"]) == (2, True, False)
    assert "ens37" not in lab.live("pve2").partition("auto vmbr0")[2]


def test_a_node_that_can_not_be_reached_is_unreachable(serve: Callable[..., Lab]) -> None:
    """The healthy ones are changed; where it is ignored the run goes well."""
    lab = serve()
    lab.extra = {"pve2": {"pvenet_api_host": f"https://127.0.0.1:{closed_port()}"}}
    ran = lab.play(tasks({**MAKE, "register": "made"}))
    assert (ran.code, ran.count("pve2", "unreachable"), ran.count("pve2", "failed")) == (4, 1, 0)
    assert [ran.count(node, "changed") for node in ("pve1", "pve3")] == [1, 1]
    ignored = lab.play(tasks({**MAKE, "ignore_unreachable": True}))
    assert ignored.code == 0
    rolled = lab.play("pvenet.network.rolling", "-e", json.dumps({"rollout_config": BONDED}))  # where it is the canary
    assert (rolled.code, rolled.count("pve2", "unreachable"), rolled.count("pve2", "failed")) == (4, 1, 0)


def test_a_rolling_change_begins_with_the_canary_and_stops_at_the_first_that_fails(serve: Callable[..., Lab]) -> None:
    """The playbook of the collection: a canary that fails leaves all others alone; one that does not goes first."""
    lab = serve(pve2="reload-fails@PUT network")
    (lab.folder / "network.yaml").write_text(  # beside nothing but where the command is called
        "defaults:\n  bond0: {type: bond, slaves: [ens38, ens39], mode: balance-rr}\n"
        "nodes: {pve1: {}, pve2: {}, pve3: {}}\n"
    )
    words = ("-e", "rollout_file=network.yaml", "-e", "pvenet_state_dir=kept")
    failed = lab.play("pvenet.network.rolling", *words)
    assert (failed.code, failed.hosts) == (2, ["pve2"])
    assert not any("bond0" in lab.live(node) for node in NODES)
    well = lab.play("pvenet.network.rolling", *words)  # the fault was of the first reload alone
    assert (well.code, well.hosts) == (0, ["pve2", "pve1", "pve3"])
    assert all("bond-slaves ens38 ens39" in lab.live(node) for node in NODES)
    assert sorted(path.name for path in (lab.folder / "kept" / "journals").iterdir()) == list(NODES)


def test_somebody_elses_changes_stop_a_rolling_change(serve: Callable[..., Lab]) -> None:
    """Before anything is staged on the node."""
    lab = serve()
    staged = lab.play(tasks({"pvenet.network.interfaces": {"config": BONDED, "apply": False}}), "--limit", "pve2")
    assert staged.count("pve2", "changed") == 1
    state = ("-e", f"pvenet_state_dir={lab.folder / 'elsewhere'}")  # which knows nothing of it
    stopped = lab.play("pvenet.network.rolling", *state, "-e", '{"rollout_config": {"vmbr9": {"type": "bridge"}}}')
    assert (stopped.code, stopped.hosts) == (2, ["pve2"])
    assert "pvenet did not stage from here" in stopped.text


def test_what_is_applied_waits_for_its_confirmation(serve: Callable[..., Lab]) -> None:
    """In the background, while the next tasks look and confirm; then a rollback puts back what was there."""
    lab = serve()
    ran = lab.play(
        tasks(
            {"pvenet.network.interfaces": {"config": {"vmbr9": {"type": "bridge"}}}},  # which is kept, and none of it
            {"pvenet.network.interfaces": {"config": BONDED, "apply": False}, "register": "staged"},
            {
                "pvenet.network.apply": {"confirm_within": 100},
                "async": 120,
                "poll": 0,
                "register": "applying",
                "when": "staged is changed",
            },
            {
                "pvenet.network.confirm": {},
                "register": "confirmed",
                "until": "confirmed is changed",
                "retries": 60,
                "delay": 1,
            },
            {
                "ansible.builtin.async_status": {"jid": "{{ applying.ansible_job_id }}"},
                "register": "job",
                "until": "job is finished",
                "retries": 60,
                "delay": 1,
                "delegate_to": "localhost",
                "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_connection": "local"},
            },
            {"pvenet.network.rollback": {}},
            {"pvenet.network.rollback": {}},
        ),
        "--limit",
        "pve1",
    )
    *_, applied, back, again = ran.results("pve1")
    assert (applied["verdict"], back["verdict"], back["changed"], again["changed"]) == (
        "applied",
        "rolled_back",
        True,
        False,
    )
    assert ran.code == 0
    assert "bond0" not in lab.live("pve1")


def test_no_secret_is_shown_however_much_is_asked_for(serve: Callable[..., Lab]) -> None:
    """Neither of a task that fails; what was given is there by its name."""
    lab = serve()
    lab.extra = {"pve1": {"pvenet_api_password": PASSWORD}}
    given = {"config": {"vmbr1": {"type": "brige"}}}
    ran = lab.play(tasks({"pvenet.network.interfaces": given}), "--limit", "pve1", "-vvv", "--diff")
    shown = ran.text.partition("PLAY [pve]")[2]
    assert '"api_password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"' in shown
    assert '"api_token_secret": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"' in shown  # and `play` looks for it
    assert PASSWORD not in shown
    assert "PUT " not in shown  # nothing gets onto the disk, where a module lies beside its arguments


def test_options_win_over_the_inventory_and_module_defaults_reach_a_module(serve: Callable[..., Lab]) -> None:
    """One endpoint for all, by the names that community.proxmox uses; and what can't be had is told by the module."""
    lab = serve()
    at = lab.at["pve1"]
    play: dict[str, Any] = {
        "hosts": "localhost",
        "gather_facts": False,
        "collections": ["pvenet.network"],
        "module_defaults": {
            "group/pvenet.network.network": {
                "api_host": at["endpoint"],
                "api_user": at["token_id"].partition("!")[0],
                "api_token_id": at["token_id"].partition("!")[2],
                "api_token_secret": "{{ secret }}",
                "fingerprint": at["fingerprint"],
            },
            "pvenet.network.interfaces": {"timeout": 50},
        },
        "tasks": [
            {"interfaces": {"state": "gathered"}, "register": "now"},
            {"facts": {"gather": ["config"]}},
            {"interfaces": {"config": "{{ now.gathered }}", "state": "overridden"}},
            {"interfaces": {"state": "rendered", "config": BONDED}},
            {"interfaces": {"config": {"vmbr1": {"type": "bridge", "mtu": "{{ 9000 }}", "ports": []}}}},
            {"interfaces": {"config": {"vmbr1": {"type": "brige"}}}},
        ],
    }
    ran = lab.play([play], "-e", f"@{_secret(lab, at['token_secret'])}")
    gathered, facts, same, rendered, mtu, wrong = ran.results("localhost")
    assert gathered["node"] == "pve1"
    assert facts["ansible_facts"]["pvenet"]["config"] == gathered["gathered"]
    assert (same["changed"], rendered["changed"], mtu["changed"]) == (False, False, True)
    assert (ran.code, wrong["kind"]) == (2, "invalid")
    assert "did you mean bridge?" in wrong["msg"]


def test_a_task_that_is_delegated_is_about_the_host_it_is_of(serve: Callable[..., Lab]) -> None:
    """As many have it who know modules that talk to an API: to the controller, or to another host; also in a loop."""
    lab = serve()
    made = {"pvenet.network.interfaces": {"config": "{{ {item: {'type': 'bridge'}} }}"}, "loop": ["vmbr8", "vmbr9"]}
    ran = lab.play(
        tasks(
            {**made, "delegate_to": "localhost", "become": True, "become_user": "nobody"},
            {"pvenet.network.facts": {"gather": ["config"]}, "delegate_to": "pve3", "async": 60, "poll": 1},
        ),
        "--limit",
        "pve1",
    )
    assert (ran.code, ran.count("pve1", "changed")) == (0, 1), ran.text
    assert ran.results("pve1")[-1]["ansible_facts"]["pvenet"]["node"] == "pve1"
    assert {"iface vmbr8 inet manual", "iface vmbr9 inet manual"} <= set(lab.live("pve1").splitlines())
    assert "vmbr9" not in lab.live("pve3")


def test_what_a_task_says_is_not_outdone_by_what_the_inventory_says_otherwise(serve: Callable[..., Lab]) -> None:
    """Another place, or another way to log in: the inventory's own, which would win over it, does not count then."""
    lab = serve()
    elsewhere = str(lab.folder / "elsewhere")
    at = lab.at["pve1"]
    ran = lab.play(
        tasks(
            {"pvenet.network.interfaces": {"sim": elsewhere, "config": {"vmbr9": {"type": "bridge"}}}},
            {"pvenet.network.facts": {"gather": ["config"], "api_password": "not-the-password"}, "ignore_errors": True},
            {"pvenet.network.facts": {"gather": ["config"], "api_token_secret": at["token_secret"]}},
        ),
        "--limit",
        "pve1",
        "-e",
        f"pvenet_api_token_file={elsewhere}",
    )
    made, refused, seen = ran.results("pve1")
    assert made["changed"]
    assert "vmbr9" not in lab.live("pve1")
    assert "does not accept the credentials of root@pam\n" in refused["msg"]
    assert (ran.code, seen["ansible_facts"]["pvenet"]["config"]["vmbr0"]["type"]) == (0, "bridge")


def _secret(lab: Lab, secret: str) -> Path:
    path = lab.folder / "secret.yml"
    path.write_text(f"secret: {secret}\n")
    return path


def test_a_file_is_found_beside_the_playbook(serve: Callable[..., Lab]) -> None:
    """As other files of a playbook are; one that is not there is told."""
    lab = serve()
    (lab.folder / "files").mkdir()
    (lab.folder / "files" / "network.yaml").write_text("nodes: {pve1: {vmbr9: {type: bridge}}}\n")
    ran = lab.play(
        tasks(
            {"pvenet.network.interfaces": {"file": "network.yaml"}}, {"pvenet.network.interfaces": {"file": "no.yaml"}}
        ),
        "--limit",
        "pve1",
    )
    made, missing = ran.results("pve1")
    assert (made["changed"], "no.yaml" in missing["msg"]) == (True, True)
    assert "iface vmbr9 inet manual" in lab.live("pve1")
