"""--dry-run: what would happen, whom it would hit, what would be sent; and nothing is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import documents
import pytest
from housed import LINK, housed
from recorder import set_nature

from pvenet import cli
from pvenet.connection import Held
from pvenet.settings import Options, connect, read_settings
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

FILE = "nodes:\n  pve1:\n    vmbr5: {type: bridge, ports: [ens40]}\n"
BOND = "bond create bond7 --slaves ens37,ens40"
BEFORE: dict[str, tuple[str, ...]] = {
    "bond create": (),
    "bond set": (),
    "bond delete": ("bridge delete vmbr1",),
    "bridge create": (),
    "bridge set": (),
    "bridge delete": (),
    "vlan create": (),
    "vlan set": ("vlan create bond0.50",),
    "vlan delete": ("vlan create bond0.50",),
    "eth set": (),
    "ovs-bridge create": (),
    "ovs-bridge set": ("ovs-bridge create vmbr6 --ports ens40",),
    "ovs-bridge delete": ("ovs-bridge create vmbr6 --ports ens40",),
    "ovs-bond create": ("ovs-bridge create vmbr6",),
    "ovs-bond set": ("ovs-bridge create vmbr6", "ovs-bond create bond6 --bridge vmbr6 --slaves ens37,ens40"),
    "ovs-bond delete": ("ovs-bridge create vmbr6", "ovs-bond create bond6 --bridge vmbr6 --slaves ens37,ens40"),
    "ovs-port create": ("ovs-bridge create vmbr6",),
    "ovs-port set": ("ovs-bridge create vmbr6", "ovs-port create mgmt0 --bridge vmbr6"),
    "ovs-port delete": ("ovs-bridge create vmbr6", "ovs-port create mgmt0 --bridge vmbr6"),
    "renamed": (),
    "apply": (BOND,),
    "revert": (BOND,),
    "rollback": (BOND, "apply --yes"),
    "confirm": (BOND, "apply --yes --confirm-within 3600"),
}
"""What has to be there before a command has something to do."""
WORDS = {
    "bond create": "bond create --slaves ens37,ens40",
    "bond set": "bond set bond0 --mode active-backup",
    "bond delete": "bond delete bond0",
    "bridge create": "bridge create --ports ens40",
    "bridge set": "bridge set vmbr0 --add-port ens40",
    "bridge delete": "bridge delete vmbr1",
    "vlan create": "vlan create bond0.60 --cidr 10.9.0.1/24",
    "vlan set": "vlan set bond0.50 --mtu 1400",
    "vlan delete": "vlan delete bond0.50",
    "eth set": "eth set ens40 --mtu 1400",
    "ovs-bridge create": "ovs-bridge create vmbr7",
    "ovs-bridge set": "ovs-bridge set vmbr6 --add-port ens37",
    "ovs-bridge delete": "ovs-bridge delete vmbr6",
    "ovs-bond create": "ovs-bond create bond6 --bridge vmbr6 --slaves ens37,ens40",
    "ovs-bond set": "ovs-bond set bond6 --mode balance-slb",
    "ovs-bond delete": "ovs-bond delete bond6",
    "ovs-port create": "ovs-port create mgmt0 --bridge vmbr6",
    "ovs-port set": "ovs-port set mgmt0 --mtu 1400",
    "ovs-port delete": "ovs-port delete mgmt0",
    "renamed": "renamed --map ens40=ens43 --yes",
    "apply": "apply --arm --sdn-lock",
    "revert": "revert",
    "rollback": "rollback --sdn-lock",
    "confirm": "confirm",
}
ANSWERED = ("shown", "affected", "requests", "end")


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with guests on both its bridges, and Open vSwitch."""
    folder = housed(tmp_path / "node", ("101:web:vmbr1:20", "300:mail:vmbr0"))
    file = folder / "pve1/etc/network/interfaces"
    link = f"auto ens40\niface ens40 inet static\n\taddress {LINK}1/24\n"
    assert link in file.read_text()
    file.write_text(file.read_text().replace(link, "iface ens40 inet manual\n"))
    set_nature(folder, reload_seconds=0.0, ovs=True)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "kept"))
    return folder


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every request that changes something, as the simulated node hears it."""
    seen: list[dict[str, Any]] = []
    send = SimAdapter.send

    def heard(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        path = (request.url or "").partition("/api2/json")[2].partition("?")[0]
        if request.method != "GET":
            seen.append({"method": request.method, "path": path})
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", heard)
    return seen


def files(*folders: Path) -> dict[str, bytes]:
    """All that is kept in some folders."""
    kept = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in kept}


def prepare(run: Run, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what has to be there; an apply that waits to be confirmed is left."""
    for words in BEFORE[command]:
        if "--confirm-within" in words:
            with monkeypatch.context() as patch:
                patch.setattr("pvenet.cli.prompt.Prompt.await_confirmation", _killed)
                with pytest.raises(SystemExit):
                    run(*words.split())
            continue
        assert run(*words.split()).code == 0


def _killed(*_: object) -> bool | None:
    raise SystemExit


@pytest.mark.parametrize("command", WORDS)
def test_nothing_is_sent_and_nothing_is_kept(  # noqa: PLR0913, PLR0917 - fixtures
    run: Run,
    node: Path,
    sent: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    """Neither to the node nor in the state folder; in both formats, whatever the command."""
    prepare(run, command, monkeypatch)
    sent.clear()
    before = files(node / "pve1/etc", tmp_path / "kept")
    for json_too in ((), ("--json",)):
        ran = run(*WORDS[command].split(), "--dry-run", *json_too)
        assert ran.code == 0, ran.err
        assert "nothing was sent (--dry-run)" in ran.out + ran.err or json_too
    assert not sent
    assert files(node / "pve1/etc", tmp_path / "kept") == before


@pytest.mark.parametrize("command", [each for each in WORDS if each not in ("apply", "rollback", "confirm")])
def test_what_it_would_send_is_what_it_sends(
    run: Run, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The requests of a dry run, in their order, are those of the command without it."""
    prepare(run, command, monkeypatch)
    foreseen = run(*WORDS[command].split(), "--dry-run", "--json").data["requests"]
    sent.clear()
    assert run(*WORDS[command].split()).code == 0
    assert [{key: each[key] for key in ("method", "path")} for each in foreseen] == sent
    assert sent


@pytest.mark.parametrize("words", ["apply --sdn-lock", "apply --arm", "rollback"])
def test_so_are_those_of_an_apply_and_a_rollback(
    run: Run, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """With the lock, the way back and the reload itself; `when` says which wait for what."""
    prepare(run, words.split(maxsplit=1)[0], monkeypatch)
    events = run(*words.split(), "--dry-run", "--json").lines
    assert [each["event"] for each in events] == [each for each in ANSWERED if each in {e["event"] for e in events}]
    assert (events[-1]["verdict"], events[-1]["exit"]) == ("nothing", 0)
    sent.clear()
    run(*words.split(), "--yes")
    assert [{key: each[key] for key in ("method", "path")} for each in events[-2]["requests"]] == sent


def test_forms_are_spelled_as_pve_spells_them(run: Run) -> None:
    """In the text and in the JSON, by one renderer."""
    text = run("bridge", "set", "vmbr0", "--add-port", "ens40", "--dry-run").out
    assert "1 request would be sent:\n  PUT /nodes/pve1/network/vmbr0\n    type: bridge\n" in text
    assert "    bridge_ports: ens33 ens40\n" in text
    data = run("bridge", "set", "vmbr0", "--add-port", "ens40", "--dry-run", "--json").data
    form = {"type": "bridge", "cidr": "192.168.171.21/24", "bridge_ports": "ens33 ens40"}
    assert data["dry_run"] is True
    assert data["requests"] == [{"method": "PUT", "path": "/nodes/pve1/network/vmbr0", "form": form, "when": ""}]
    assert data["pending"] is False


def test_whom_it_would_hit_is_said(run: Run) -> None:
    """As the command itself says it."""
    ran = run("bridge", "delete", "vmbr1", "--dry-run")
    assert "vmbr1 carries 1 running guest: 101 web" in ran.err
    assert "  cut: vmbr1 goes\n" in ran.err
    assert (
        "this cuts the management path of pve1"
        in run("bridge", "set", "vmbr0", "--remove-port", "ens33", "--dry-run").err
    )
    run("bridge", "delete", "vmbr1")
    ran = run("apply", "--dry-run", "--allow-guests", "101")
    assert "vmbr1 carries 1 running guest: 101 web" in ran.err
    assert "1 request would be sent:\n  PUT /nodes/pve1/network\n" in ran.out


def test_the_line_of_hosts_is_among_them(run: Run, node: Path, sent: list[dict[str, Any]]) -> None:
    """With --update-hosts, as it is sent when the new address is verified."""
    run("bridge", "set", "vmbr0", "--cidr", "192.168.171.77/24")
    before = (node / "pve1/etc/hosts").read_text()
    sent.clear()
    ran = run("apply", "--update-hosts", "--allow-management", "--dry-run", "--json")
    reload, hosts = ran.lines[-2]["requests"]
    assert (reload["method"], reload["path"]) == ("PUT", "/nodes/pve1/network")
    assert (hosts["method"], hosts["path"], hosts["when"]) == ("POST", "/nodes/pve1/hosts", "when it is verified")
    assert hosts["form"]["data"] == before.replace("192.168.171.21", "192.168.171.77")
    assert not sent
    assert "      192.168.171.77 pve1" in run("apply", "--update-hosts", "--allow-management", "--dry-run").out


def test_what_would_be_refused_is_refused(run: Run, sent: list[dict[str, Any]]) -> None:
    """A dry run that ends well is one that goes on at the question."""
    run("bridge", "delete", "vmbr1")
    sent.clear()
    ran = run("apply", "--dry-run", "--yes")
    assert ran.code == 7
    assert "add --allow-guests 101" in ran.err
    assert run("bridge", "set", "vmbr0", "--add-port", "ens99", "--dry-run").code == 3
    assert not sent


def test_nothing_pending_is_said(run: Run) -> None:
    """There is nothing to show, and nothing would be sent."""
    assert "nothing is pending on pve1" in run("revert", "--dry-run").err
    ran = run("apply", "--dry-run")
    assert (ran.code, ran.out) == (0, "nothing would be sent\n")
    assert "nothing is pending on pve1" in ran.err
    assert "pve1 has that already" in run("bridge", "set", "vmbr0", "--add-port", "ens33", "--dry-run").err


@pytest.mark.parametrize("only", [(), ("--stage-only",)])
def test_a_file_is_planned_and_its_requests_are_shown(
    run: Run, node: Path, tmp_path: Path, sent: list[dict[str, Any]], only: tuple[str, ...]
) -> None:
    """What `apply -f` shows, and every request; a saved plan is not used up by it."""
    file = tmp_path / "network.yaml"
    file.write_text(FILE)
    run("plan", "-f", str(file), "-o", str(tmp_path / "saved"))
    before = files(node / "pve1/etc")
    ran = run("apply", "-f", str(file), "--dry-run", *only)
    assert ran.code == 0
    assert "+ bridge vmbr5: ports ens40" in ran.out
    foreseen = run("apply", str(tmp_path / "saved"), "--dry-run", "--json", *only).lines[1]
    assert foreseen["event"] == "requests"
    assert not sent
    assert files(node / "pve1/etc") == before
    assert not (tmp_path / "kept").exists()
    assert run("apply", str(tmp_path / "saved"), "--yes", *only).code == 0
    assert [{key: each[key] for key in ("method", "path")} for each in foreseen["requests"]] == sent


def test_every_command_that_changes_a_node_has_it() -> None:
    """A command is either in the tables above, or is known to leave nodes and journals as they are."""
    looks = {"list", "show", "links", "nics", "guests", "tree", "doctor", "diff", "status", "check", "schema", "export"}
    looks |= {"history", "rescue", "help", "lint", "plan", "drift"}
    elsewhere = {"login", "logout"}  # `pvenet login --print` shows what it would do
    elsewhere |= {"wait"}  # it goes on with what was agreed to
    commands = {words.removeprefix("pvenet ").split(" [")[0]: command for words, command in documents.commands()}
    have = {name for name, command in commands.items() if any("--dry-run" in each.opts for each in command.params)}
    assert have == set(WORDS)
    others = {name for name in commands if name not in have and name.split()[0] not in {"sim", "config"}}
    assert others <= looks | elsewhere | {"plan show"}


@pytest.fixture
def held(node: Path) -> Iterator[Any]:
    connection = connect(read_settings(Options(sim=node), {"HOME": str(node)}))
    connection.hold()
    yield connection
    connection.close()


def test_a_held_connection_sends_no_change_whoever_asks(held: Any, sent: list[dict[str, Any]]) -> None:
    """Also one that was made of it; reading goes on."""
    for connection in (held, held.another()):
        with pytest.raises(Held, match="POST /nodes/pve1/network"):
            connection.post("nodes", "pve1", "network", form={"iface": "vmbr9", "type": "bridge"})
        with pytest.raises(Held, match="PUT /nodes/pve1/network"):
            connection.put("nodes", "pve1", "network")
        with pytest.raises(Held, match="DELETE /nodes/pve1/network"):
            connection.delete("nodes", "pve1", "network")
        assert connection.get("nodes", "pve1", "network").rows()
    assert not sent


def test_the_data_is_json_whatever_the_command(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own fields beside those of the dry run."""
    run("bond", "create", "--slaves", "ens37,ens40")
    capsys.readouterr()
    assert cli.main(["revert", "--dry-run", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["reverted"], data["dry_run"]) == (False, True)
    assert data["requests"] == [{"method": "DELETE", "path": "/nodes/pve1/network", "form": {}, "when": ""}]
    assert [step["name"] for step in data["steps"]] == ["ens37", "ens40", "bond1"]
