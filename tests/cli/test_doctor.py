"""`pvenet doctor`: a healthy node is good, each trouble is its own line and no other, and nobody is asked in vain."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from guest_lab import FILE, guest_lab
from loopback import Loopback
from recorder import set_nature

from pvenet.access import ZONE
from pvenet.doctor.entry import CHECKS as ENTRY
from pvenet.doctor.node import CHECKS as NODE
from pvenet.journal import LockJournals, place_of
from pvenet.settings import Options, connect, read_settings
from pvenet.sim.server import Server
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

ALL_RIGHTS = (
    {"path": "/nodes/pve1", "privileges": ["Sys.Audit", "Sys.Modify"]},
    {"path": ZONE, "privileges": ["SDN.Audit"]},
    {"path": "/vms", "privileges": ["VM.Audit"]},
    {"path": "/", "privileges": ["Sys.Audit"], "propagate": False},
    {"path": "/sdn", "privileges": ["SDN.Allocate"], "propagate": False},
)
HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e"


def wrong(ran: Ran) -> dict[str, str]:
    """The checks that are not good, with their states."""
    return {each["check"]: each["state"] for each in ran.data if each["state"] != "good"}


@pytest.mark.usefixtures("lab")
def test_a_state_folder_that_can_not_be_written_is_bad(run: Run, tmp_path: Path) -> None:
    """Nothing could be staged; the rest is looked at all the same, and nothing is left in a folder that can be."""
    (tmp_path / "file").write_text("")
    ran = run("--state-dir", str(tmp_path / "file" / "state"), "doctor", "--json")
    assert (ran.code, wrong(ran)) == (1, {"state folder": "bad"})
    assert "can't be written (Not a directory)" in ran.data[0]["text"]
    new = tmp_path / "new"
    new.mkdir()
    assert wrong(run("--state-dir", str(new / "state"), "doctor", "--json")) == {}
    assert list(new.iterdir()) == []


@pytest.mark.usefixtures("lab")
def test_a_healthy_node_is_good_throughout(run: Run) -> None:
    """Every check has its line, in words and as data, and there is nothing to do."""
    ran = run("doctor", "--exit-code")
    assert (ran.code, ran.err) == (0, "")
    assert all(line.startswith(("ok ", "   ", "pve1")) for line in ran.out.splitlines()[:-2] if line)
    assert re.fullmatch(r"\d+ good", ran.out.splitlines()[-1])
    data = run("doctor", "--json").data
    assert [each["check"] for each in data] == ["state folder", "port", *ENTRY, *NODE]
    assert {each["state"] for each in data} == {"good"}
    assert {each["node"] for each in data if each["check"] in NODE} == {"pve1"}
    assert {each["todo"] for each in data} == {""}


@pytest.mark.usefixtures("lab")
def test_a_token_with_all_rights_is_told_all_but_its_own_end(run: Run, granted: Callable[..., None]) -> None:
    """That it may not read; a person is told where it stands."""
    granted(*ALL_RIGHTS)
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert wrong(ran) == {"token": "unknown"}
    assert "pveum user token list 'nobody@pve'" in run("doctor").out


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("left_out", "lines", "code"),
    [
        (2, {"VM.Audit": "warning"}, 0),
        (3, {"quorum": "unknown", "Sys.Audit /": "warning", "hosts": "unknown"}, 0),
        (4, {"SDN.Allocate": "warning"}, 0),
        (
            1,
            {"SDN.Audit": "bad"} | dict.fromkeys(("file", "line ends", "values", "kernel", "links"), "unknown"),
            1,
        ),
    ],
)
def test_a_right_that_is_missing_is_told_with_what_is_lost(
    run: Run, granted: Callable[..., None], left_out: int, lines: dict[str, str], code: int
) -> None:
    """What can't be known without it is not known, and nothing else is otherwise."""
    granted(*(right for number, right in enumerate(ALL_RIGHTS) if number != left_out))
    ran = run("doctor", "--json")
    assert ran.code == code
    assert wrong(ran) == {"token": "unknown", **lines}
    right = next(each for each in ran.data if each["state"] in ("warning", "bad"))
    assert "pveum acl modify" in right["todo"]


@pytest.mark.usefixtures("lab")
def test_without_sys_audit_it_lists_nothing(run: Run, granted: Callable[..., None]) -> None:
    """Whether somebody's reload runs is not told then, and a list could freeze the flags."""
    granted(*ALL_RIGHTS[1:])
    ran = run("doctor", "--json", "--debug")
    assert ran.code == 1
    states = wrong(ran)
    assert states["Sys.Audit"] == states["Sys.Modify"] == "bad"
    assert states["reload"] == states["pending"] == states["links"] == "unknown"
    assert not re.search(r"GET \S*/nodes/pve1/network ", ran.err)


def test_a_wrong_token_is_one_bad_line(run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and the rest is not known, on whichever node."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "root@pam!full")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "22222222-1111-1111-1111-111111111111")
    ran = run("doctor", "--json", "--node", "pve1,pve2")
    assert ran.code == 1
    states = [each["state"] for each in ran.data]
    assert states.count("bad") == 1
    assert {each["check"]: each["state"] for each in ran.data}["login"] == "bad"
    assert states.count("unknown") == len(ENTRY) - 1 + 2 * len(NODE)
    text = run("doctor").out
    assert "does not accept the credentials of root@pam!full" in " ".join(text.split())  # folded to the width
    assert "22222222" not in text
    assert len(text.splitlines()) < 24
    assert lab.exists()


def test_a_dead_host_is_one_bad_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: the port says so, and nothing else was asked."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "root@pam!full")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "11111111-1111-1111-1111-111111111111")
    ran = run("doctor", "--json", "--debug", "--endpoint", "https://127.0.0.1:1")
    assert ran.code == 1
    assert ran.err == ""
    assert [each["check"] for each in ran.data if each["state"] == "bad"] == ["port"]
    assert [each["check"] for each in ran.data if each["state"] == "good"] == ["state folder", "name"]
    assert {each["node"] for each in ran.data} == {None}
    assert len(run("doctor", "--endpoint", "https://127.0.0.1:1").out.splitlines()) <= 12


@pytest.fixture
def served(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The lab over HTTPS, with the settings that lead to it, but for whom to trust."""
    monkeypatch.delenv("PVENET_SIM")
    with Server(lab) as server:
        monkeypatch.setenv("PVENET_ENDPOINT", server.endpoint.url)
        monkeypatch.setenv("PVENET_TOKEN_ID", server.endpoint.token_id)
        monkeypatch.setenv("PVENET_TOKEN_SECRET", server.endpoint.token_secret)
        yield server


def test_a_pinned_certificate_is_shown(run: Run, served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it is, until when, and that it is pinned; the port says how fast it answers."""
    monkeypatch.setenv("PVENET_FINGERPRINT", str(served.endpoint.fingerprint))
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {})
    told = {each["check"]: each["text"] for each in ran.data}
    assert re.fullmatch(r"for pvenet simulated node, by \D+, valid until 20\d\d-\d\d-\d\d, pinned", told["certificate"])
    assert re.search(r"answers within \d+ ms", told["port"])


@pytest.mark.parametrize("pinned", ["", "00:" * 31 + "00"])
def test_a_certificate_that_is_not_trusted_is_one_bad_line(
    run: Run, served: Server, monkeypatch: pytest.MonkeyPatch, pinned: str
) -> None:
    """No CA of ours, or another one than is pinned: its fingerprint is told, and nothing is sent."""
    monkeypatch.setenv("PVENET_FINGERPRINT", pinned)
    ran = run("doctor", "--json", "--debug")
    assert ran.code == 1
    assert [each["check"] for each in ran.data if each["state"] == "bad"] == ["certificate"]
    assert str(served.endpoint.fingerprint) in next(each["todo"] for each in ran.data if each["state"] == "bad")
    assert ran.err == ""


def test_a_certificate_of_a_ca_is_shown(run: Run, served: Server, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file is named that signed it."""
    ca = lab / "certificate.pem"
    assert served.endpoint.url
    monkeypatch.setenv("PVENET_CA_FILE", str(ca))
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {})
    assert f"signed by a CA of {ca}" in next(each["text"] for each in ran.data if each["check"] == "certificate")


@pytest.mark.parametrize(
    ("seconds", "state", "code"), [(10, {}, 0), (90, {"clock": "warning"}, 0), (-900, {"clock": "bad"}, 1)]
)
def test_a_clock_that_is_off_is_told(run: Run, lab: Path, seconds: int, state: dict[str, str], code: int) -> None:
    """By the date of the answers; some seconds are no matter."""
    set_nature(lab, clock_ahead=float(seconds))
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (code, state)


def test_what_is_pending_is_told_with_whose_it_is(
    run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From here or not, a warning, which is 10 where that is asked for."""
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("doctor", "--json", "--exit-code")
    assert (ran.code, wrong(ran)) == (10, {"pending": "warning"})
    assert "staged from here" in next(each["text"] for each in ran.data if each["check"] == "pending")
    assert run("doctor").code == 0
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "elsewhere"))
    ran = run("doctor", "--json")
    assert wrong(ran) == {"pending": "warning"}
    assert "not staged from here" in next(each["text"] for each in ran.data if each["check"] == "pending")
    assert lab.exists()


def test_an_open_journal_is_told(run: Run, staged: Path) -> None:
    """What was staged from here and is not pending any more."""
    run("bond", "create", "--slaves", "ens38,ens39")
    staged.unlink()
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {"journals": "warning"})


def test_while_a_reload_runs_nothing_is_listed(run: Run, lab: Path) -> None:
    """The kernel is looked at, and what needs a list is not known."""
    set_nature(lab, reload_seconds=60.0)
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("apply", "--yes", "--no-wait").code == 0
    ran = run("doctor", "--json", "--debug")
    assert ran.code == 0
    expected = dict.fromkeys(("pending", "journals", "file", "line ends", "values", "links"), "unknown")
    assert wrong(ran) == {"reload": "warning", **expected}
    assert not re.search(r"GET \S*/nodes/pve1/network ", ran.err)


def test_somebody_elses_reload_is_seen(run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the node's tasks."""
    set_nature(lab, reload_seconds=60.0)
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("apply", "--yes", "--no-wait").code == 0
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "elsewhere"))
    ran = run("doctor", "--json", "--debug")
    assert wrong(ran)["reload"] == "warning"
    assert not re.search(r"GET \S*/nodes/pve1/network ", ran.err)


def test_what_pve_would_take_from_the_file_is_told(run: Run, bonded: Path) -> None:
    """At the first write of the whole file: here VLANs of a bridge that is not aware of any."""
    bonded.write_text(FILE.replace("\tbridge-vlan-aware yes\n", ""))
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {"file": "warning"})
    assert "vmbr1" in next(each["text"] for each in ran.data if each["check"] == "file")


def test_links_that_differ_are_told(run: Run, bonded: Path) -> None:
    """Somebody has changed the file, and nobody applied it."""
    run("bridge", "set", "vmbr1", "--comments", "once applied")
    assert run("apply", "--yes").code == 0
    bonded.write_text(bonded.read_text().replace("\tbridge-vids 2-4094\n", "\tbridge-vids 2-4094\n\tmtu 1400\n"))
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (1, {"links": "bad"})


def test_what_pve_would_refuse_is_told(run: Run, interfaces: Path) -> None:
    """A port that is on two bridges stops every change."""
    interfaces.write_text(interfaces.read_text() + "\nauto vmbr7\niface vmbr7 inet manual\n\tbridge-ports ens33\n")
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert wrong(ran)["file"] == "bad"


def test_a_line_that_ifupdown2_refuses_is_told(run: Run, interfaces: Path) -> None:
    """For which every reload fails."""
    interfaces.write_text("mapping ens41\n\tscript /bin/x\n\n" + interfaces.read_text())
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {"file": "warning"})
    told = next(each["text"] for each in ran.data if each["state"] == "warning")
    assert told.startswith("line 2 of /etc/network/interfaces, `script /bin/x`, is in no stanza")


def test_a_file_beside_the_file_is_told(run: Run, lab: Path) -> None:
    """An interface that no plan knows, and one that two files name; `lo` and SDN's own file are none."""
    beside = lab / "pve1" / "etc" / "network" / "interfaces.d"
    beside.mkdir()
    (beside / "sdn").write_text("auto vnet1\niface vnet1\n")
    (beside / "lo").write_text("iface lo inet loopback\n")
    assert wrong(run("doctor", "--json")) == {}
    (beside / "x").write_text("iface wg0 inet manual\niface vmbr0 inet manual\n")
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {"interfaces.d": "warning"})
    told = " ".join(each["text"] for each in ran.data if each["check"] == "interfaces.d")
    assert "vmbr0 has a stanza in /etc/network/interfaces and in /etc/network/interfaces.d/x" in told
    assert "interfaces.d/x has wg0" in told


def test_a_hosts_file_that_names_another_address_is_told(run: Run, lab: Path) -> None:
    """PVE looks the name up at its next start."""
    (lab / "pve1" / "etc" / "hosts").write_text("192.168.171.99 pve1.lan pve1\n")
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (1, {"hosts": "bad"})


@pytest.fixture
def bonded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with a bond in 802.3ad and two bridges; its live file."""
    folder = tmp_path / "bonded"
    guest_lab(folder)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder / "pve1" / "etc" / "network" / "interfaces"


@pytest.mark.usefixtures("bonded")
@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        ("no-partner=bond0@GET version", {"lacp": "bad"}),
        ("partner-splits=bond0@GET version", {"lacp": "bad"}),
        ("no-carrier=ens39@GET version", {"links": "warning"}),
        ("report-odd@GET report", {"kernel": "unknown", "interfaces.d": "unknown", "lacp": "unknown"}),
        ("error@GET apt/versions", {"ifupdown2": "unknown", "openvswitch": "unknown"}),
        ("error@GET hosts", {"hosts": "unknown"}),
        ("odd-answer=[]@GET hosts", {"hosts": "unknown"}),
    ],
)
def test_each_trouble_is_its_own_line(run: Run, fault: str, lines: dict[str, str]) -> None:
    """And the rest is as good as before."""
    assert wrong(run("doctor", "--json")) == {}
    ran = run("doctor", "--json", "--fault", fault)
    assert wrong(ran) == lines
    assert ran.code == ("bad" in lines.values())


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("place", ["nodes", "access/permissions", "tasks", "network", "report", "hosts"])
def test_an_answer_that_is_lost_leaves_the_rest_unknown(run: Run, place: str) -> None:
    """Nothing is raised, whichever answer it is, and no check is missing."""
    ran = run("doctor", "--json", "--fault", f"gateway=502@GET {place}", "--fault", f"gateway=502@GET {place}+2")
    assert set(NODE) <= {each["check"] for each in ran.data}
    assert ran.err == ""
    assert ran.code in (0, 1)


def test_each_node_of_a_cluster_is_looked_at(run: Run, cluster: Path) -> None:
    """One that is off is one bad line, and what is asked of it not known; the cluster says who is away."""
    node = Sim(cluster).node("pve2")
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {})
    assert [each["node"] for each in ran.data if each["check"] == "node"] == ["pve1", "pve2", "pve3"]
    node.save(node.machine().but(online=False))
    ran = run("doctor", "--json")
    assert ran.code == 1
    of = {name: [each for each in ran.data if each["node"] == name] for name in ("pve1", "pve2", "pve3")}
    assert {each["state"] for each in (*of["pve1"], *of["pve3"])} == {"good"}
    assert [each["check"] for each in of["pve2"] if each["state"] == "bad"] == ["node"]
    assert {each["state"] for each in of["pve2"]} == {"bad", "unknown"}
    assert wrong(ran)["quorum"] == "warning"
    assert [each["node"] for each in run("doctor", "--json", "--node", "pve3").data if each["check"] == "node"] == [
        "pve3"
    ]
    assert run("doctor", "--node", "pve9").code == 2


def test_what_others_wrote_does_nothing_to_a_terminal(run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file's name, in the hosts file, in a comment."""
    beside = lab / "pve1" / "etc" / "network" / "interfaces.d"
    beside.mkdir()
    (beside / "x").write_text(f"iface {HOSTILE}0 inet manual\n")
    monkeypatch.setenv("COLUMNS", "80")
    for ran in (run("doctor"), run("doctor", "--json")):
        assert "\x1b" not in ran.out + ran.err
        assert "\u202e" not in ran.out + ran.err
    assert json.loads(run("doctor", "--json").out)


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_the_terminal(
    run: Run, granted: Callable[..., None], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """With every right missing; the commands to copy go on over a line's end as a shell's do."""
    granted()
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run("doctor").out.splitlines()
    assert max(map(len, lines)) <= columns
    copied = re.sub(r" \\\n *", " ", "\n".join(lines))
    role = "--roles NetAdminPvenet --propagate 1"
    assert f"pveum acl modify /nodes/pve1 --tokens 'nobody@pve!none' {role}\n" in copied


def test_a_check_that_breaks_says_so(run: Run, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours hides no other line."""
    monkeypatch.setattr("pvenet.doctor.kernel.kernel_findings", lambda _found: 1 // 0)
    ran = run("doctor", "--json")
    assert wrong(ran) == dict.fromkeys(("interfaces.d", "links", "lacp"), "unknown")
    assert lab.exists()


def test_a_text_that_ifupdown2_cuts_is_told(run: Run, bonded: Path) -> None:
    """What follows may be run as a command."""
    bonded.write_text(FILE.replace("iface ens33 inet manual\n", "iface ens33 inet manual\n#a\x0cup touch /x\n", 1))
    ran = run("doctor", "--json")
    assert ran.code == 1
    assert wrong(ran) == {"line ends": "bad"}


def test_a_value_that_can_not_be_read_is_told_with_its_interface(run: Run, bonded: Path) -> None:
    """Only in the node's file can it be corrected (pve-api#f30)."""
    bonded.write_text(FILE.replace("bond-mode 802.3ad", "bond-mode lacp"))
    ran = run("doctor", "--json")
    assert ran.code == 0
    (found,) = [each for each in ran.data if each["check"] == "values"]
    assert found["state"] == "warning"
    assert found["text"] == "bond0 has `bond_mode lacp`, which can't be read, so pvenet does not change it"
    assert "/etc/network/interfaces" in found["todo"]


def test_an_sdn_lock_that_was_left_behind_is_told_and_left_alone(run: Run, lab: Path) -> None:
    """Whoever was killed has it still; a look releases nothing."""
    settings = read_settings(Options(sim=lab), os.environ)
    connection = connect(settings)
    connection.get("version")
    journals = LockJournals(settings.state_dir)
    opened = journals.begin(place_of(connection), "2026-11-26T05:00:00+00:00")
    opened.held("11111111-2222-3333-4444-555555555555")
    opened.leave()
    ran = run("doctor", "--json", "--debug")
    assert (ran.code, wrong(ran)) == (0, {"SDN lock": "warning"})
    assert "DELETE" not in ran.err
    assert journals.kept()
    assert "11111111-2222" not in ran.out + ran.err


def test_an_older_release_is_told_what_it_lacks(run: Run, lab: Path) -> None:
    """Without the bridges call the report tells the rest."""
    set_nature(lab, bridges_call=False)
    ran = run("doctor", "--json")
    assert (ran.code, wrong(ran)) == (0, {"kernel": "unknown"})
    assert "older than 9.1" in next(each["text"] for each in ran.data if each["check"] == "kernel")


def test_who_takes_a_connection_and_is_no_pve_is_one_bad_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that speaks no TLS: the credentials are not sent, and it is said at the certificate."""
    monkeypatch.setenv("PVENET_TOKEN_ID", "root@pam!full")
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "11111111-1111-1111-1111-111111111111")
    with Loopback(lambda talk, _number: talk.trickle(b"SSH-2.0-nothing\r\n", 0.0)) as server:
        ran = run("doctor", "--json", "--debug", "--endpoint", f"https://127.0.0.1:{server.port}")
    assert [each["check"] for each in ran.data if each["state"] == "bad"] == ["certificate"]
    assert ran.err == ""
