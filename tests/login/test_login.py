"""`pvenet login` and `pvenet logout` without a terminal, against a simulated node over HTTPS."""

from __future__ import annotations

import json
import logging
import shlex
import socket
import stat
from typing import TYPE_CHECKING, Any

import keyring
import pytest
from memory_keyring import Memory

from pvenet.login import profile
from pvenet.login.rights import rights
from pvenet.sim.http.certificate import certificate
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

WRONG = ":".join(["00"] * 32)
ROOT = ("--user", "root@pam", "--yes", "--name", "lab", "--token-name", "ci")
FULL = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the simulated node is kept."""
    return tmp_path / "node"


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """A simulated node over HTTPS, which root@pam enters with the password of recordings."""
    with Server(folder) as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    """Where it is."""
    return server.endpoint.url


@pytest.fixture
def pin(server: Server) -> str:
    """The fingerprint of its certificate."""
    return str(server.endpoint.fingerprint)


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """The folder of profiles that have a file of their own."""
    return tmp_path / "config" / "pvenet" / "profiles.d"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is known unless a test takes it away; and no keyring of this machine is touched."""
    monkeypatch.setenv("PVENET_PASSWORD", "oracle-secret")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def users(folder: Path) -> Any:
    """What the node keeps of accounts."""
    return json.loads((folder / "users.json").read_text())


def secret_of(folder: Path, token: str = "pvenet@pve!ci") -> str:
    """The secret of a token there."""
    return str(users(folder)["tokens"][token]["secret"])


def test_from_nothing_to_a_list(run: Callable[..., Ran], url: str, pin: str, profiles: Path, folder: Path) -> None:
    """One command makes role, user, token, rights and profile, and ends with the list; then every command works."""
    ran = run("login", url, "--fingerprint", pin, *ROOT)
    assert ran.code == 0, ran.err
    assert "vmbr0  bridge" in ran.out
    assert run("list").out == ran.out
    assert run("list", "--profile", "lab").out == ran.out
    assert "NetAdminPvenet" in users(folder)["roles"]
    assert sorted(path.name for path in profiles.iterdir()) == ["lab.token", "lab.toml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in profiles.iterdir()} == {0o600}
    assert run("bridge", "create", "vmbr1").code == 0


def test_each_right_is_told_with_what_it_is_for(run: Callable[..., Ran], url: str) -> None:
    """Before anything is made; and what is made, a line each, all within 80 columns."""
    ran = run("login", url, "--full", *ROOT)
    told = ran.err.partition("pvenet needs these rights")[2]
    for words in ("read, stage, reload, revert", "/sdn/zones/localnetwork", "/ alone", "hold the SDN lock", "VM.Audit"):
        assert words in told
    before, _, after = told.partition("\nprofile lab written")
    assert max(map(len, before.splitlines())) <= 80
    assert "To be created there" in before
    assert len(before.splitlines()) <= 22
    assert after


def test_a_second_time_mends_what_is_missing(run: Callable[..., Ran], url: str, folder: Path, profiles: Path) -> None:
    """With the secret that works; where the profile is lost, with a new one, which is said before."""
    run("login", url, *ROOT)
    first = secret_of(folder)
    again = run("login", url, *ROOT)
    assert (again.code, secret_of(folder)) == (0, first)
    assert "To be created there" not in again.err
    assert "nobody has compared" not in again.err
    more = run("login", url, "--full", *ROOT)
    assert "role NetLockPvenet on /sdn alone for user and token" in more.err
    assert secret_of(folder) == first
    for path in profiles.iterdir():
        path.unlink()
    lost = run("login", url, *ROOT)
    assert "a NEW SECRET, and the old one stops working" in lost.err
    assert secret_of(folder) != first
    assert run("list").code == 0


def test_a_second_time_asks_for_nobody(run: Callable[..., Ran], url: str, folder: Path) -> None:
    """Where the token is good for all that is wanted; more, or a token that can only look, is made with a password."""
    run("login", url, *ROOT)
    first = secret_of(folder)
    again = run("login", url, "--name", "lab", "--debug")
    assert (again.code, secret_of(folder)) == (0, first)
    asked = [line for line in again.err.splitlines() if "/access/permissions path=" in line]
    assert len(asked) == len(set(rights("change"))), asked  # each path once
    nowhere = run("login", url, "--name", "lab", "--node", "pve9")
    assert (nowhere.code, "there is no node pve9" in nowhere.err) == (2, True)
    for more in ("--full", "--read-only"):
        refused = run("login", url, "--name", "lab", more)
        assert (refused.code, "a user or a token is missing" in refused.err) == (2, True)


def test_what_a_person_added_to_the_profile_stays(run: Callable[..., Ran], url: str, profiles: Path) -> None:
    """A node, a way to verify: what a login does not decide."""
    run("login", url, *ROOT)
    path = profiles / "lab.toml"
    path.write_text(path.read_text() + 'node = "pve1"\nverify = "flags"\n')
    assert run("login", url, *ROOT).code == 0
    assert 'node = "pve1"\n' in path.read_text()
    assert 'verify = "flags"\n' in path.read_text()


@pytest.mark.parametrize("option", [(), ("--read-only",), ("--full",), ("--node", "pve1")])
def test_the_lines_of_print_are_what_is_made(
    run: Callable[..., Ran], url: str, folder: Path, option: tuple[str, ...]
) -> None:
    """Line by line on stdout, and nothing is asked, sent or written for them; the calls give the same."""
    lines = run("login", "--print", "--token-name", "ci", *option).out.splitlines()
    assert all(line.startswith("pveum ") for line in lines)
    assert run("login", "--print", "--json", "--token-name", "ci", *option).data == {"pveum": lines}
    before = users(folder)["acl"]
    assert run("login", url, *ROOT, *option).code == 0
    made = [each for each in users(folder)["acl"] if each not in before]
    granted = [shlex.split(line) for line in lines if line.startswith("pveum acl")]
    assert [(words[3], words[5], words[7]) for words in granted] == [(e["path"], e["who"], e["role"]) for e in made]


def test_json_is_one_object_and_never_asks(run: Callable[..., Ran], url: str, pin: str) -> None:
    """What was made and where it is; without consent, exit 7 and nothing made."""
    refused = run("login", url, "--fingerprint", pin, "--user", "root@pam", "--json")
    assert (refused.code, refused.data["kind"], refused.data["exit"]) == (7, "needs_consent", 7)
    data = run("login", url, "--json", *ROOT).data
    assert (data["profile"], data["endpoint"], data["fingerprint"]) == ("lab", url, pin)
    assert (data["token_id"], data["lacking"]) == ("pvenet@pve!ci", [])
    assert [right["path"] for right in data["rights"]] == ["/nodes", "/sdn/zones/localnetwork", "/"]


def test_a_simulated_node_in_process(run: Callable[..., Ran], tmp_path: Path) -> None:
    """`--sim DIR` logs in as well: no certificate, and a profile that names the folder."""
    ran = run("login", "--sim", str(tmp_path / "lab"), *ROOT)
    assert ran.code == 0, ran.err
    assert "vmbr0" in run("list", "--profile", "lab").out


# --- the certificate -------------------------------------------------------------------------------------------------


def test_a_first_certificate_is_for_a_person_to_compare(
    run: Callable[..., Ran], url: str, pin: str, profiles: Path
) -> None:
    """Without one to ask it is shown with where to compare it, and nothing is sent or written."""
    ran = run("login", url, "--user", "root@pam")
    assert ran.code == 7
    assert pin in ran.err
    assert "pvenode cert info" in ran.err
    assert "Node > System > Certificates" in ran.err
    assert list(profiles.iterdir()) == []


def test_another_than_the_named_one_is_refused(run: Callable[..., Ran], url: str, pin: str) -> None:
    """Whatever else is agreed to."""
    ran = run("login", url, "--fingerprint", WRONG, *ROOT)
    assert ran.code == 6
    assert "a different certificate from the one that --fingerprint names" in ran.err
    assert pin in ran.err
    assert run("login", url, "--fingerprint", "AA:BB", *ROOT).code == 2


@pytest.fixture
def changed(run: Callable[..., Ran], folder: Path) -> str:
    """A node that has been logged in to, and has another certificate now; its URL."""
    with Server(folder) as server:
        first = server.endpoint.url
        assert run("login", first, *ROOT).code == 0
    for path in folder.glob("*.pem"):
        path.unlink()
    certificate(folder)
    return first


def test_a_changed_certificate_is_never_taken_by_a_yes(run: Callable[..., Ran], changed: str, folder: Path) -> None:
    """It reads otherwise than a first one, and takes the fingerprint itself: for the profile, not for one command."""
    port = int(changed.rpartition(":")[2])
    with Server(folder, port=port) as server:
        now = str(server.endpoint.fingerprint)
        for words in ((), ("--fingerprint", now), ("--accept-changed", WRONG), ("--name", "other")):
            ran = run("login", changed, *ROOT, *words)
            assert ran.code == 6
            assert "HAS CHANGED" in ran.err
            assert "first contact" not in ran.err
            assert f"--accept-changed {now}" in ran.err
        assert run("list").code == 6
        assert "--accept-changed" in run("list").err
        again = ("login", changed, "--name", "lab", "--accept-changed")
        assert run(*again, WRONG).code == 6
        assert run(*again, now.lower().replace(":", "")).code == 0
        assert run("list").code == 0


def test_a_certificate_that_a_ca_vouches_for_is_not_pinned(
    run: Callable[..., Ran], url: str, folder: Path, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PVENET_CA_FILE goes into the profile instead, so that a renewal is no change."""
    (pem,) = folder.glob("*.pem")
    monkeypatch.setenv("PVENET_CA_FILE", str(pem))
    assert run("login", url, *ROOT).code == 0
    monkeypatch.delenv("PVENET_CA_FILE")
    assert "fingerprint" not in (profiles / "lab.toml").read_text()
    assert run("list").code == 0


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["--token-file", "--token-command"])
def test_a_token_that_is_there_is_taken(run: Callable[..., Ran], url: str, tmp_path: Path, way: str) -> None:
    """By a file or a command, where the secret stays: the profile names them, and a logout leaves them alone."""
    file = tmp_path / "secret"
    file.write_text(FULL)
    file.chmod(0o600)
    given = str(file) if way == "--token-file" else f"cat {file}"
    ran = run("login", url, "--token-id", "root@pam!full", "--yes", "--name", "lab", way, given)
    assert ran.code == 0, ran.err
    assert run("list").out == ran.out
    assert f"its secret remains in {'the command ' if given != str(file) else ''}{given}" in run("logout").err
    assert file.read_text() == FULL


def test_the_secret_of_a_variable_is_kept(
    run: Callable[..., Ran], url: str, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile works without the variable afterwards."""
    monkeypatch.setenv("PVENET_TOKEN_SECRET", FULL)
    assert run("login", url, "--token-id", "root@pam!full", "--yes", "--name", "lab").code == 0
    monkeypatch.delenv("PVENET_TOKEN_SECRET")
    assert run("list").code == 0
    assert (profiles / "lab.token").read_text() == f"{FULL}\n"


def test_a_token_that_lacks_rights_is_told_which(
    run: Callable[..., Ran], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it can't do without them; the profile is written all the same."""
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "66666666-6666-6666-6666-666666666666")
    ran = run("login", url, "--token-id", "sysonly@pve!tok", "--yes", "--name", "lab")
    assert "lacks SDN.Audit on /sdn/zones/localnetwork" in ran.err
    assert "lacks Sys.Audit on / alone" in ran.err
    assert "lacks Sys.Audit, Sys.Modify" not in ran.err


def nothing_left(profiles: Path, folder: Path) -> bool:
    """Whether no profile was written, and no account made."""
    return not list(profiles.glob("*")) and "pvenet@pve" not in users(folder)["users"]


def test_a_wrong_password_leaves_nothing(
    run: Callable[..., Ran], url: str, profiles: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5, and the password is in no line."""
    monkeypatch.setenv("PVENET_PASSWORD", "hunter2hunter2")
    ran = run("login", url, *ROOT, "--debug")
    assert ran.code == 5
    assert "hunter2" not in ran.err + ran.out
    assert nothing_left(profiles, folder)


def test_a_second_factor_asks_for_a_token(run: Callable[..., Ran], url: str, profiles: Path, folder: Path) -> None:
    """With where to make one, and how to hand it over."""
    data = users(folder)
    data["users"]["root@pam"]["tfa"] = True
    (folder / "users.json").write_text(json.dumps(data))
    ran = run("login", url, *ROOT)
    assert ran.code == 5
    assert "second factor" in ran.err
    assert "--token-id" in ran.err
    assert nothing_left(profiles, folder)


def test_who_may_not_make_it_is_told_who_could(run: Callable[..., Ran], url: str, profiles: Path, folder: Path) -> None:
    """PVE's own words, and the lines for somebody else."""
    ran = run("login", url, "--user", "ops@pve", "--yes")
    assert ran.code == 4
    assert "Sys.Modify" in ran.err
    assert "login --print" in ran.err
    assert nothing_left(profiles, folder)


def test_a_node_that_is_not_there_is_told(run: Callable[..., Ran], url: str, profiles: Path, folder: Path) -> None:
    """The access list would take it without a word."""
    ran = run("login", url, *ROOT, "--node", "pve9")
    assert ran.code == 2
    assert "there are: pve1" in ran.err
    assert nothing_left(profiles, folder)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("http://192.168.1.5",), "in the clear"),
        (("root:x@host",), "holds no credentials"),
        (("https://host/path",), "goes on after"),
        (("a b",), "is not an endpoint"),
        (("127.0.0.1", "--name", "../x"), "not a valid profile name"),
        (("127.0.0.1", "--store", "paper"), "can't be kept"),
        (("127.0.0.1", "--read-only", "--full"), "two different tokens"),
        (("127.0.0.1", "--endpoint", "127.0.0.2"), "more than one place"),
        (("127.0.0.1", "--user", "root@pam", "--token-id", "root@pam!x"), "needs no login"),
        (("127.0.0.1", "--user", "root"), "without a realm"),
        (("127.0.0.1", "--token-id", "root@pam"), "not a token ID"),
        (("127.0.0.1", "--insecure"), "gives the password away"),
        ((), "is missing, and there is no terminal"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    run: Callable[..., Ran], words: tuple[str, ...], message: str
) -> None:
    """Exit 2."""
    ran = run("login", *words)
    assert ran.code == 2
    assert message in ran.err


@pytest.mark.parametrize("name", ["x", "1abc", "a/b", "ci!x", "a b", "ü"])
def test_a_token_is_called_as_pve_takes_it(run: Callable[..., Ran], name: str) -> None:
    """Else it is refused here."""
    ran = run("login", "--print", "--token-name", name)
    assert (ran.code, "not a valid token name" in ran.err) == (2, True)


@pytest.mark.parametrize("machine", ["laptop", "laptop.example.com", "1st", "", "ü", "a", "-x-", "my_host-2"])
def test_a_token_is_called_as_the_machine_is(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    """So that another machine's is not replaced; where that is no name for one, as pvenet is."""
    monkeypatch.setattr("platform.node", lambda: machine)
    expected = {"laptop": "laptop", "laptop.example.com": "laptop", "-x-": "pvenet", "my_host-2": "my_host-2"}
    assert profile.token_name("") == expected.get(machine, "pvenet")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("https://pve1.example.com:8006", "pve1"),
        ("https://pve1:8006", "pve1"),
        ("https://192.168.1.5:8006", "192-168-1-5"),
        ("https://[fd00::1]:8006", "fd00-1"),
        ("sim:/tmp/my lab", "my-lab"),
    ],
)
def test_a_profile_is_called_as_its_place(place: str, name: str) -> None:
    """A name's first part, an address with dashes."""
    assert profile.default_name(place) == name


def test_a_dead_host_leaves_nothing(run: Callable[..., Ran], profiles: Path) -> None:
    """Nobody listens; or who does speaks no TLS."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert run("login", f"127.0.0.1:{port}", *ROOT).code == 6
        closed.listen()
        closed.close()
    assert list(profiles.glob("*")) == []


def test_a_name_that_is_taken_is_another_places(
    run: Callable[..., Ran], url: str, tmp_path: Path, profiles: Path
) -> None:
    """A profile of the same name for somewhere else, or in the configuration file, is not written over."""
    assert run("login", url, *ROOT).code == 0
    with Server(tmp_path / "second") as second:
        ran = run("login", second.endpoint.url, *ROOT)
    assert (ran.code, f"exists already, for {url}" in ran.err) == (2, True)
    config = profiles.parent / "config.toml"
    config.write_text("[profiles.by-hand]\nsim = 'x'\n")
    ran = run("login", url, *ROOT, "--name", "by-hand")
    assert (ran.code, "leaves alone" in ran.err) == (2, True)
    assert config.read_text() == "[profiles.by-hand]\nsim = 'x'\n"


def test_a_folder_that_cant_be_written_is_told_before_anything_is_made(
    run: Callable[..., Ran], url: str, profiles: Path, folder: Path
) -> None:
    """Else a token would be made whose secret nobody has."""
    profiles.parent.mkdir(parents=True)
    profiles.write_text("a file")
    ran = run("login", url, *ROOT)
    assert ran.code == 2
    assert "pvenet@pve" not in users(folder)["users"]


def test_a_write_that_fails_takes_the_secret_away(
    run: Callable[..., Ran], url: str, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a secret without its profile nor half a profile is left."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "lab.toml")

    monkeypatch.setattr("pvenet.login.session.write_profile", full)
    assert run("login", url, *ROOT).code == 1
    assert list(profiles.iterdir()) == []


def test_no_secret_is_in_any_line(
    run: Callable[..., Ran], url: str, folder: Path, profiles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in --debug, nor in the libraries' loudest logs, nor in the profile."""
    for name in ("", "proxmoxer", "proxmoxer.core", "urllib3", "requests", "keyring"):
        caplog.set_level(logging.DEBUG, logger=name)
    first = run("login", url, *ROOT, "--debug")
    told = first.err + first.out + run("logout", "lab", "--user", "root@pam", "--debug").err
    second = run("login", url, *ROOT, "--json", "--debug")
    told += second.err + second.out + "\n".join(caplog.messages) + (profiles / "lab.toml").read_text()
    for secret in (secret_of(folder), "oracle-secret"):
        assert secret not in told
    assert "PVE:root@pam:" not in told


@pytest.fixture
def memory() -> Memory:
    """A keyring in the system's place."""
    keyring.set_keyring(kept := Memory())
    return kept


def test_the_keyring_keeps_the_secret_where_there_is_one(
    run: Callable[..., Ran], url: str, memory: Memory, profiles: Path, folder: Path
) -> None:
    """And no file does; a file is used where that is wanted, and then the keyring forgets. A logout forgets as well."""
    assert run("login", url, *ROOT).code == 0
    assert memory.kept == {("pvenet:lab", "pvenet@pve!ci"): secret_of(folder)}
    assert [path.name for path in profiles.iterdir()] == ["lab.toml"]
    assert run("list").code == 0
    assert run("login", url, "--name", "lab", "--store", "file").code == 0
    assert memory.kept == {}
    assert (profiles / "lab.token").exists()
    assert run("login", url, "--name", "lab").code == 0
    assert not (profiles / "lab.token").exists()
    assert run("logout").code == 0
    assert memory.kept == {}


@pytest.mark.usefixtures("memory")
def test_the_keyring_keeps_two_nodes_apart(run: Callable[..., Ran], url: str, tmp_path: Path) -> None:
    """Two logins from one machine make tokens of one name: the second's secret is not put over the first's."""
    other = f"sim:{tmp_path / 'other'}"
    assert run("login", url, *ROOT, "--name", "one").code == 0
    assert run("login", other, *ROOT, "--name", "two").code == 0
    assert run("list", "--profile", "one").code == 0
    assert run("logout", "two").code == 0
    assert run("list", "--profile", "one").code == 0


def test_a_keyring_that_locks_meanwhile_hides_no_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended the login is what is told, and not that its secret could not be taken out again."""
    keyring.set_keyring(kept := Memory())

    def interrupted() -> None:
        with profile.kept("lab", "a@pve!b", "secret", "keyring", {"XDG_CONFIG_HOME": str(tmp_path)}):
            monkeypatch.delattr(kept, "kept")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


# --- and out again ---------------------------------------------------------------------------------------------------


def test_logout_forgets_here_and_says_what_to_do_there(
    run: Callable[..., Ran], url: str, profiles: Path, folder: Path
) -> None:
    """The profile and its secret are gone; the line removes the token, which can't do it itself."""
    run("login", url, *ROOT)
    ran = run("logout")
    assert (ran.code, ran.out) == (0, "profile lab removed\n")
    assert "pveum user token remove pvenet@pve ci" in ran.err
    assert list(profiles.iterdir()) == []
    assert "pvenet@pve!ci" in users(folder)["tokens"]
    assert run("logout", "lab").code == 2
    assert run("list").code == 2


def test_logout_names_the_profiles_that_have_the_same_token(run: Callable[..., Ran], url: str, tmp_path: Path) -> None:
    """Whoever removes it there takes it away from them; a token of that name elsewhere is another one."""
    for name in ("one", "two"):
        assert run("login", url, *ROOT, "--name", name).code == 0
    assert run("login", f"sim:{tmp_path / 'other'}", *ROOT, "--name", "three").code == 0
    told = run("logout", "one").err
    assert "the token is still there, and two uses it; to remove it all the same, on the node, as root:\n" in told
    assert "the token is still there; on the node, as root:\n" in run("logout", "two").err


def test_logout_removes_the_token_there_with_a_password(run: Callable[..., Ran], url: str, folder: Path) -> None:
    """And a wrong one removes nothing, here neither."""
    run("login", url, *ROOT)
    data = run("logout", "--user", "root@pam", "--json").data
    assert data == {"profile": "lab", "token_id": "pvenet@pve!ci", "removed": True, "remove_with": None}
    assert "pvenet@pve!ci" not in users(folder)["tokens"]


def test_a_logout_that_fails_there_changes_nothing_here(
    run: Callable[..., Ran], url: str, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be tried again."""
    run("login", url, *ROOT)
    monkeypatch.setenv("PVENET_PASSWORD", "hunter2hunter2")
    assert run("logout", "--user", "root@pam").code == 5
    assert len(list(profiles.iterdir())) == 2


def test_logout_leaves_alone_what_login_did_not_write(run: Callable[..., Ran], profiles: Path) -> None:
    """A profile of the configuration file is its owner's to remove; one that is broken can be forgotten."""
    profiles.mkdir(parents=True)
    (profiles.parent / "config.toml").write_text("[profiles.by-hand]\nsim = 'x'\n")
    ran = run("logout", "by-hand")
    assert (ran.code, "was not made by `pvenet login`" in ran.err) == (2, True)
    (profiles / "broken.toml").write_text("[profiles.broken\n")
    assert run("logout", "broken").code == 0
    assert not (profiles / "broken.toml").exists()
    assert run("logout", "../config").code == 2
