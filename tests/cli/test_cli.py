"""The command line through `main`: stdout, stderr, exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

WALKTHROUGH = (
    ["bridge", "set", "vmbr0", "--ports", "ens33,ens37"],
    ["bond", "create", "--slaves", "ens38,ens39", "--mode", "balance-rr"],
    ["bridge", "create", "--ports", "bond0", "--comments", "For tagged traffic"],
    ["diff"],
    ["apply", "--wait", "--yes", "--allow-management"],
    ["list"],
    ["show", "bond0"],
)


def test_the_walkthrough_ends_with_the_file_that_a_real_node_wrote(lab: Path, interfaces: Path, run: Run) -> None:
    """Six commands, each exit 0, and byte for byte the recorded file."""
    for words in WALKTHROUGH:
        assert run(*words).code == 0, words
    assert interfaces.read_text() == (FIXTURES / "walkthrough/interfaces.applied").read_text()
    assert not interfaces.with_name("interfaces.new").exists()
    assert lab.exists()


@pytest.mark.usefixtures("lab")
class TestData:
    """--json, in the shapes that scripts rely on."""

    def test_list_is_an_array_of_flat_objects(self, run: Run) -> None:
        """Name, type, active, autostart, and the kind's own fields; flags are true or false."""
        entries = {entry["name"]: entry for entry in run("list", "--json").data}
        assert (
            entries["vmbr0"]
            | {
                "type": "bridge",
                "active": True,
                "autostart": True,
                "ports": ["ens33"],
                "vlan_aware": False,
                "vids": [],
                "cidr": "192.168.171.21/24",
                "gateway": "192.168.171.2",
                "cidr6": None,
                "mtu": None,
                "comments": "For management",
            }
            == entries["vmbr0"]
        )
        assert entries["ens38"]["active"] is False
        assert entries["ens38"]["autostart"] is False

    def test_show_is_one_of_them(self, run: Run) -> None:
        """The same object as in the list."""
        assert run("--json", "show", "vmbr0").data in run("list", "--json").data

    def test_diff_says_what_is_pending_and_whose_it_is(self, run: Run) -> None:
        """`pending`, `ours`, `changes` as PVE has them, and the steps with old and new values."""
        empty = run("diff", "--json").data
        assert empty == {"node": "pve1", "pending": False, "ours": False, "changes": None, "steps": []}
        run("bond", "create", "--slaves", "ens38,ens39")
        data = run("diff", "--json").data
        assert (data["pending"], data["ours"]) == (True, True)
        assert data["changes"].startswith("--- /etc/network/interfaces\t")
        steps = {step["name"]: step for step in data["steps"]}
        assert steps["ens38"]["fields"] == {"autostart": {"before": False, "after": True}}
        assert (steps["bond0"]["action"], steps["bond0"]["type"]) == ("create", "bond")
        assert steps["bond0"]["fields"]["slaves"] == {"before": None, "after": ["ens38", "ens39"]}

    def test_apply_is_a_line_an_event_and_ends_with_the_verdict(self, run: Run) -> None:
        """The last line is the end, with verdict and exit code; nothing but JSON is on stdout."""
        assert run("apply", "--json", "--yes").lines[-1]["verdict"] == "nothing"
        run("bond", "create", "--slaves", "ens38,ens39")
        ran = run("apply", "--json", "--yes")
        assert ran.lines[0]["event"] == "shown"
        assert {key: ran.lines[-1][key] for key in ("event", "verdict", "exit")} == {
            "event": "end",
            "verdict": "applied",
            "exit": 0,
        }
        assert ran.err == ""

    def test_apply_as_json_never_asks(self, run: Run) -> None:
        """Without --yes it is refused, with nothing sent, and the end says so too."""
        run("bond", "create", "--slaves", "ens38,ens39")
        ran = run("apply", "--json")
        assert ran.code == ran.lines[-1]["exit"] == 7
        assert run("diff", "--json").data["pending"]

    def test_staging_tells_its_steps(self, run: Run) -> None:
        """What was sent, as steps."""
        data = run("bond", "create", "--json", "--slaves", "ens38,ens39").data
        assert [(step["action"], step["name"]) for step in data["steps"]] == [("create", "bond0")]
        assert run("bond", "set", "bond0", "--slaves", "ens38,ens39", "--json").data["steps"] == []

    def test_revert_says_what_became_of_what_is_not_pending_any_more(self, lab: Path, run: Run) -> None:
        """Somebody has applied it meanwhile, which the journal shows; nothing is changed by asking."""
        run("bond", "create", "--slaves", "ens38,ens39")
        staged = lab / "pve1/etc/network/interfaces.new"
        staged.rename(staged.with_name("interfaces"))
        for _ in range(2):
            ran = run("revert")
            assert ran.code == 0
            assert "nothing is pending on pve1" in ran.err
            assert "it was applied elsewhere" in ran.err

    @pytest.mark.parametrize(
        ("fault", "code", "why"),
        [
            ("error@GET tasks", 4, "something failed"),
            ("error@GET network", 4, "something failed"),
            ("delay=0@GET network", 0, "nothing is pending"),
            ("odd-answer=5@GET network", 6, "not as PVE's API does"),
            ("reboot=600@GET tasks", 6, "can't be reached"),
        ],
    )
    def test_status_fails_where_nothing_could_be_told(self, fault: str, code: int, why: str, run: Run) -> None:
        """A script that looks at the code alone takes no silence for peace; the text says why."""
        ran = run("status", "--node", "pve1", "--json", "--fault", fault)
        assert ran.code == ran.data[0]["exit"] == code
        assert why in ran.out
        assert ("pve1 can't be" in ran.err) is bool(code)
        assert ("`pvenet doctor --node pve1`" in ran.err) is bool(code)  # the text has no journal to tell what to do

    def test_revert_says_whether_there_was_anything(self, run: Run) -> None:
        """Twice is no error."""
        run("bond", "create", "--slaves", "ens38,ens39")
        assert run("revert", "--json").data == {"node": "pve1", "reverted": True}
        assert run("revert", "--json").data == {"node": "pve1", "reverted": False}


BAD = [
    (3, "there is no interface ens3 on pve1", ["show", "ens3"]),
    (3, "ens99", ["bond", "create", "--slaves", "ens38,ens99"]),
    (3, "did you mean", ["bond", "create", "--slaves", "ens38,ens93"]),
    (3, "ens33 is already a port of vmbr0", ["bond", "create", "--slaves", "ens33,ens38"]),
    (3, "mybond", ["bond", "create", "mybond", "--slaves", "ens38"]),
    (3, "15", ["bridge", "create", "vmbr0123456789ab"]),
    (3, "10.0.0.300/24", ["bridge", "create", "--cidr", "10.0.0.300/24"]),
    (3, "prefix length", ["bridge", "create", "--cidr", "10.0.0.3"]),
    (3, "--cidr6", ["bridge", "create", "--cidr", "fd00::1/64"]),
    (3, "gateway 10.0.0.1 but no cidr", ["bridge", "create", "--gateway", "10.0.0.1"]),
    (3, "vmbr0 has it", ["bridge", "create", "--cidr", "10.0.0.2/24", "--gateway", "10.0.0.1"]),
    (3, "ens40", ["bridge", "create", "--ports", "ens40", "--mtu", "9000"]),
    (3, "1280 to 65520", ["bridge", "create", "--mtu", "100"]),
    (3, "bond7", ["vlan", "create", "--raw-device", "bond7", "--tag", "5"]),
    (3, "1 to 4094", ["vlan", "create", "--raw-device", "ens40", "--tag", "5000"]),
    (3, "is a NIC, not a VLAN", ["vlan", "set", "ens33"]),
    (3, "vmbr0 exists already on pve1", ["bridge", "create", "vmbr0"]),
    (3, "is a NIC, not a bridge", ["bridge", "delete", "ens33"]),
    (2, "roundrobin", ["bond", "create", "--mode", "roundrobin"]),
    (2, "raw device and a tag", ["vlan", "create", "--tag", "5"]),
    (2, "did you mean gateway?", ["bridge", "set", "vmbr0", "--clear", "gatewayy"]),
    (2, "at once", ["bridge", "set", "vmbr0", "--clear", "mtu", "--mtu", "1500"]),
    (2, "lsit", ["lsit"]),
    (2, "--frobnicate", ["list", "--frobnicate"]),
    (2, "there is no node nope", ["list", "--node", "nope"]),
]


BadInput = tuple[int, str, list[str]]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: " ".join(bad[2]))
def test_bad_input_is_one_clear_error(bad: BadInput, run: Run, interfaces: Path, staged: Path) -> None:
    """The right exit code, a message that names the thing, no traceback, nothing on stdout, nothing staged."""
    code, said, words = bad
    before = interfaces.read_text()
    ran = run(*words)
    assert ran.code == code
    assert ran.err.startswith("error: ")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
    assert not staged.exists()
    assert interfaces.read_text() == before


def test_the_options_that_say_where_stand_on_either_side(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before or after the command; what stands after wins."""
    monkeypatch.delenv("PVENET_SIM")
    assert run("--sim", str(lab), "--json", "list").data == run("list", "--json", "--sim", str(lab)).data
    assert run("--sim", "/nonexistent/x", "list", "--sim", str(lab)).code == 0


def test_one_command_line_leaves_nothing_to_the_next(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said before a command's name is forgotten with it."""
    monkeypatch.delenv("PVENET_SIM")
    assert run("--sim", str(lab), "list").code == 0
    assert run("list").code == 2


def test_without_a_place_to_go_the_hint_names_the_ways(run: Run) -> None:
    """--sim for the curious, the environment for the rest."""
    ran = run("list")
    assert ran.code == 2
    for word in ("--sim", "PVENET_ENDPOINT", "PVENET_TOKEN_ID", "PVENET_TOKEN_SECRET"):
        assert word in ran.err


@pytest.mark.usefixtures("lab")
def test_without_a_terminal_and_without_yes_nothing_is_sent(run: Run, staged: Path) -> None:
    """What is pending stays pending, and the hint says --yes."""
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("apply")
    assert ran.code == 7
    assert "--yes" in ran.err
    assert staged.exists()


@pytest.mark.usefixtures("lab")
def test_yes_does_not_mean_the_management_path(run: Run, staged: Path) -> None:
    """The bridge with the node's address needs --allow-management; what it is and what it stands on is said."""
    run("bridge", "set", "vmbr0", "--ports", "ens33,ens37")
    ran = run("apply", "--yes")
    assert ran.code == 7
    assert "vmbr0" in ran.err
    assert "192.168.171.21" in ran.err
    assert "--allow-management" in ran.err
    assert staged.exists()


@pytest.mark.usefixtures("lab")
def test_the_exit_code_tells_of_differences_where_asked(run: Run) -> None:
    """10 with --exit-code and something pending, 0 otherwise."""
    assert run("diff", "--exit-code").code == 0
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("diff").code == 0
    ran = run("diff", "--exit-code")
    assert ran.code == 10
    assert ran.err == ""


@pytest.mark.usefixtures("lab")
def test_no_wait_prints_the_task(run: Run) -> None:
    """The UPID on stdout, for scripts that wait themselves."""
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("apply", "--yes", "--no-wait")
    assert ran.code == 0
    assert ran.out.startswith("UPID:pve1:")


@pytest.mark.usefixtures("lab")
def test_set_keeps_what_is_not_named(run: Run) -> None:
    """The address, the gateway and the comment survive a change of the ports."""
    run("bridge", "set", "vmbr0", "--ports", "ens33,ens37")
    data = run("show", "vmbr0", "--json").data
    assert (data["cidr"], data["gateway"], data["comments"]) == (
        "192.168.171.21/24",
        "192.168.171.2",
        "For management",
    )
    assert data["ports"] == ["ens33", "ens37"]


@pytest.mark.usefixtures("lab")
def test_clear_removes(run: Run) -> None:
    """Several fields at once, with commas or repeated, also with dashes."""
    run("bridge", "create", "--ports", "ens40", "--vlan-aware", "--vids", "7,9", "--comments", "x", "--mtu", "1400")
    assert run("bridge", "set", "vmbr1", "--clear", "vlan-aware,comments", "--clear", "mtu").code == 0
    data = run("show", "vmbr1", "--json").data
    assert (data["vlan_aware"], data["vids"], data["comments"], data["mtu"]) == (False, [], "", None)


def test_a_loss_is_refused_by_name(interfaces: Path, staged: Path, run: Run) -> None:
    """Dhcp would become manual: exit 7, and --lossy goes on with a warning."""
    interfaces.write_text(interfaces.read_text().replace("iface ens40 inet manual", "iface ens40 inet dhcp"))
    ran = run("eth", "set", "ens40", "--mtu", "1400")
    assert ran.code == 7
    assert "`inet dhcp` becomes `inet manual`" in ran.err
    assert not staged.exists()
    ran = run("eth", "set", "ens40", "--mtu", "1400", "--lossy")
    assert ran.code == 0
    assert "warning: lost: ens40" in ran.err


@pytest.mark.usefixtures("lab")
def test_debug_shows_requests_and_no_secret(run: Run) -> None:
    """Method, path, form, status and time, on stderr."""
    ran = run("bond", "create", "--slaves", "ens38,ens39", "--debug")
    assert "POST" in ran.err
    assert "slaves=ens38 ens39" in ran.err
    assert "200" in ran.err
    assert "11111111" not in ran.err
    assert "debug" not in ran.out


@pytest.mark.usefixtures("lab")
def test_a_wrong_token_is_told_without_its_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 5."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "root@pam!full")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "not-the-secret")
    ran = run("list")
    assert ran.code == 5
    assert "root@pam!full" in ran.err
    assert "not-the-secret" not in ran.err


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("words", [["list"], ["bridge", "create", "--ports", "ens40"], ["diff"]], ids=lambda w: w[0])
def test_a_listing_without_bridges_is_not_believed(words: list[str], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SDN.Audit the bridges are hidden: exit 5, and the line that grants it."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "sysonly@pve!tok")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", _secret("sysonly@pve!tok"))
    ran = run(*words)
    assert ran.code == 5
    assert "SDN.Audit" in ran.err
    assert "pveum acl modify /sdn/zones/localnetwork" in ran.err


@pytest.mark.usefixtures("lab")
def test_a_reader_may_look_and_not_touch(run: Run, monkeypatch: pytest.MonkeyPatch, staged: Path) -> None:
    """An auditor lists; staging names Sys.Modify and the way to it."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "auditor@pve!ro")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", _secret("auditor@pve!ro"))
    assert run("list").code == 0
    ran = run("bond", "create", "--slaves", "ens38,ens39")
    assert ran.code == 5
    assert "lacks Sys.Modify on /nodes/pve1" in ran.err
    assert not staged.exists()


def _secret(token: str) -> str:
    """A recorded token's secret."""
    text = (FIXTURES / "exchanges/A.jsonl").read_text() + (FIXTURES / "exchanges/H.jsonl").read_text()
    for line in text.splitlines():
        header = json.loads(line)["request"]["headers"].get("Authorization", "")
        if header.startswith(f"PVEAPIToken={token}="):
            return str(header.rpartition("=")[2])
    raise LookupError(token)


HTTP = ("requests", "urllib3", "proxmoxer", "rich", "http.client", "ssl", "yaml", "pydantic", "tomllib")


def test_help_imports_no_http_stack() -> None:
    """--help and completion start fast: nothing of HTTP, no rich, and nothing that reads files is loaded for them."""
    script = (
        "import sys; from pvenet.cli import main; main(['--help']); main(['bond', 'create', '--help']);"
        f"found = [name for name in {HTTP!r} if name in sys.modules]; sys.exit(', '.join(found) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_bond_of_free_nics_is_staged_without_the_parts_that_read_a_kernel(lab: Path) -> None:
    """What can hit nobody is staged at once: what would find out whom is not even loaded."""
    words = ["--sim", str(lab), "bond", "create", "--slaves", "ens38,ens39", "--mode", "balance-rr"]
    script = (
        f"import sys; from pvenet.cli import main; done = main({words!r});"
        "found = [name for name in sys.modules if name.startswith(('pvenet.kernel', 'pvenet.observe'))];"
        "sys.exit(', '.join(found) or done)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "+ bond bond0" in done.stdout


def test_a_plan_loads_nothing_that_only_some_plans_need(lab: Path, tmp_path: Path) -> None:
    """What reads a kernel, and what a forge shows, is loaded by the plans that ask for it; a rollout by an apply."""
    (tmp_path / "network.yaml").write_text(
        "nodes: {pve1: {bond0: {type: bond, mode: balance-rr, slaves: [ens38, ens39]}}}\n", encoding="utf-8"
    )
    script = (
        f"import sys; from pvenet.cli import main; main(['--sim', {str(lab)!r}, *sys.argv[1:]]);"
        "kinds = ('kernel.links', 'kernel.report', 'kernel.judgement', 'render.git', 'render.markdown', 'fleet.course',"
        " 'events', 'outcome');"
        "found = [name for name in sys.modules if name.removeprefix('pvenet.').startswith(kinds)];"
        "sys.exit(', '.join(found) or 0)"
    )
    words = ["plan", "-f", str(tmp_path / "network.yaml")]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "+ bond bond0" in done.stdout


def test_what_asks_a_node_over_the_network_does_without_requests(lab: Path) -> None:
    """It is loaded where it knows more than is needed here; nothing is sent otherwise than it would send it."""
    script = (
        "import sys; from pvenet.cli import main; done = main(['list']);"
        "found = [name for name in ('requests', 'charset_normalizer') if name in sys.modules];"
        "sys.exit(', '.join(found) or done)"
    )
    with Server(lab) as server:
        at = server.endpoint
        own = {"ENDPOINT": at.url, "TOKEN_ID": at.token_id, "TOKEN_SECRET": at.token_secret}
        own |= {"FINGERPRINT": at.fingerprint or "", "STATE_DIR": f"{lab}-state"}
        environment = os.environ | {f"PVENET_{name}": value for name, value in own.items()}
        environment.pop("PVENET_SIM", None)
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "vmbr0" in done.stdout


def test_version(run: Run) -> None:
    """One line, on stdout."""
    assert run("--version").out.startswith("pvenet 0.")


def test_a_reader_that_goes_away_is_no_traceback(lab: Path) -> None:
    """`pvenet list | head -1` ends quietly."""
    command = f"{sys.executable} -m pvenet list --sim {lab} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_was_closed_before_is_no_trouble(tmp_path: Path, closed: str) -> None:
    """As a daemon starts it: nobody is there to talk to."""
    command = f"{sys.executable} -m pvenet --sim {tmp_path / 'lab'} bridge create vmbr1 {closed}"
    assert subprocess.run(["bash", "-c", command], capture_output=True, check=False).returncode == 0


def test_a_read_that_is_interrupted_says_so(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the node is asked: exit 130, and where to look."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SimAdapter, "send", interrupted)
    ran = run("--sim", str(lab), "list")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == f"error: interrupted\n\nhint: `pvenet status --sim {lab}` shows the state of a node\n"


def test_an_option_is_suggested_by_its_name(run: Run) -> None:
    """Its dashes alone make it no neighbour."""
    assert (
        run("diff", "--yes").err == "error: `pvenet diff` has no option --yes\n\nhint: `pvenet diff --help` shows how\n"
    )
    assert run("revert", "--discrad").err.endswith("hint: did you mean --discard?\n")
