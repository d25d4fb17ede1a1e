"""A login on a terminal: what is asked, in which order, and that nothing is left of one that is given up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typed import CTRL_C, CTRL_D, Typed

from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSWORD = "oracle-secret"
FULL = "11111111-1111-1111-1111-111111111111"
HOST, CERTIFICATE, WHO = "The node's name or address: ", "Is it the same? A yes pins it. [y/N] ", "[root@pam]: "
SECRET, MAKE = "The password of root@pam: ", "Create it? [y/N] "


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A simulated node over HTTPS."""
    with Server(tmp_path / "node") as server:
        yield server


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Typed]]:
    """Start a command on a terminal; those that still run in the end are ended."""
    begun: list[Typed] = []
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PVENET_", "PROXMOX_"))},
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }

    def start(*words: str) -> Typed:
        begun.append(Typed(*words, environment=environment))
        return begun[-1]

    yield start
    for each in begun:
        each.kill()


def users(tmp_path: Path) -> Any:
    """What the node keeps of accounts."""
    return json.loads((tmp_path / "node" / "users.json").read_text())


def left(tmp_path: Path) -> list[str]:
    """The files of profiles."""
    return sorted(path.name for path in (tmp_path / "config" / "pvenet" / "profiles.d").glob("*"))


def upto(typed: Typed, server: Server, prompt: str) -> None:
    """Answer every question before this one as somebody does who means it."""
    for asked, answer in (
        (HOST, server.endpoint.url.removeprefix("https://")),
        (CERTIFICATE, "y"),
        (WHO, ""),
        (SECRET, PASSWORD),
        (MAKE, "yes"),
    ):
        typed.until(asked)
        if asked == prompt:
            return
        typed.type(f"{answer}\n")


def test_the_whole_conversation(tmp_path: Path, server: Server, begin: Callable[..., Typed]) -> None:
    """From nothing but a command to the list of the node; the password is not shown."""
    typed = begin("login", "--token-name", "ci")
    upto(typed, server, MAKE)
    typed.type("y\n")
    shown = typed.end()
    assert typed.code == 0
    assert "vmbr0  bridge" in shown
    assert PASSWORD not in shown
    assert left(tmp_path) == ["127-0-0-1.token", "127-0-0-1.toml"]
    assert shown.endswith(begin("list").end())


def test_the_fingerprint_is_shown_to_be_compared(server: Server, begin: Callable[..., Typed]) -> None:
    """In two lines that fit 80 columns, with where to find the node's own."""
    typed = begin("login", server.endpoint.url)
    typed.until("Its SHA-256 fingerprint is")
    typed.until("Compare it on the node with `pvenode cert info`,")
    typed.until("or in the web UI: Node > System > Certificates.")
    typed.until("[y/N] ")
    typed.type("n\n")
    assert "not agreed; nothing was sent" in typed.end()
    assert typed.code == 7


@pytest.mark.parametrize("prompt", [HOST, CERTIFICATE, WHO, SECRET, MAKE])
@pytest.mark.parametrize("key", [CTRL_C, CTRL_D, "\n"])
def test_whoever_gives_up_leaves_nothing(
    tmp_path: Path, server: Server, begin: Callable[..., Typed], prompt: str, key: str
) -> None:
    """Ctrl-C, the end of input, an empty line: a sentence, no traceback, no profile and nothing made."""
    if (prompt, key) in ((WHO, "\n"), (WHO, CTRL_D)):
        pytest.skip("it means root@pam")
    typed = begin("login")
    upto(typed, server, prompt)
    typed.type(key)
    shown = typed.end()
    assert typed.code == (130 if key == CTRL_C else 2 if prompt in (HOST, SECRET) else 7)
    assert "Traceback" not in shown
    assert shown.strip("^C\n").startswith(("error: ", "not agreed; "))
    assert left(tmp_path) == []
    assert "pvenet@pve" not in users(tmp_path)["users"]


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path, server: Server, begin: Callable[..., Typed]) -> None:
    """Exit 5."""
    typed = begin("login")
    upto(typed, server, SECRET)
    typed.type("hunter2hunter2\n")
    shown = typed.end()
    assert (typed.code, "does not accept the credentials of root@pam" in shown) == (5, True)
    assert "hunter2" not in shown
    assert left(tmp_path) == []


def test_a_token_may_be_pasted(tmp_path: Path, server: Server, begin: Callable[..., Typed]) -> None:
    """Its name where a user is asked for, its secret unseen."""
    typed = begin("login", server.endpoint.url, "--fingerprint", str(server.endpoint.fingerprint))
    typed.until(WHO)
    typed.type("root@pam!full\n")
    typed.until("The secret of root@pam!full: ")
    typed.type(f"{FULL}\n")
    shown = typed.end()
    assert typed.code == 0
    assert FULL not in shown
    assert (tmp_path / "config" / "pvenet" / "profiles.d" / "127-0-0-1.token").read_text() == f"{FULL}\n"


def test_ctrl_c_while_it_is_made_is_gone_on_with(tmp_path: Path, begin: Callable[..., Typed]) -> None:
    """What was made stands, nothing is written here, and the next run makes the rest."""
    with Server(tmp_path / "node", faults=["delay=30@PUT access/acl+2"]) as server:
        typed = begin("login", "--token-name", "ci", "--debug")
        upto(typed, server, MAKE)
        typed.type("y\n")
        typed.until("PUT ")
        typed.type(CTRL_C)
        shown = typed.end()
        assert (typed.code, "a part was created on the node" in shown) == (130, True)
        assert left(tmp_path) == []
    assert "pvenet@pve!ci" in users(tmp_path)["tokens"]
    with Server(tmp_path / "node") as server:
        typed = begin("login", "--token-name", "ci")
        upto(typed, server, MAKE)
        typed.type("y\n")
        assert "vmbr0" in typed.end()


@pytest.mark.parametrize(
    ("words", "blamed"),
    [
        (("--user", "root"), "--user is 'root', without a realm"),
        (("--token-id", "root@pam"), "--token-id is not a token ID"),
        (
            ("--token-id", "root@pam!full", "--token-file", "nosuch"),
            "--token-file {}/nosuch can't be read: No such file",
        ),
        (("--token-id", "root@pam!full", "--token-command", "false"), "the command of --token-command ended with 1"),
    ],
)
def test_the_option_is_blamed_that_was_given(
    server: Server, begin: Callable[..., Typed], words: tuple[str, ...], blamed: str
) -> None:
    """And no variable that nobody has set."""
    shown = begin("login", server.endpoint.url, "--yes", *words).end()
    assert blamed.format(Path.cwd()) in " ".join(shown.split())
    assert "PVENET_" not in shown


@pytest.mark.parametrize(("entered", "secret"), [("root", ""), ("root@pam", "wrong"), ("root@pam!full", "wrong")])
def test_the_answer_is_blamed_that_was_given(
    server: Server, begin: Callable[..., Typed], entered: str, secret: str
) -> None:
    """A user without a realm, a wrong password, a wrong secret."""
    typed = begin("login", server.endpoint.url, "--yes")
    typed.until(WHO)
    typed.type(f"{entered}\n")
    if secret:
        typed.until(f" of {entered}: ")
        typed.type(f"{secret}\n")
    shown = typed.end()
    assert f"the {'token' if '!' in entered else 'user'} that was entered" in " ".join(shown.split())
    assert "PVENET_" not in shown
