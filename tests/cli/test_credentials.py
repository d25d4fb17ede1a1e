"""Who we are: tokens and passwords from the environment, a file, a command or a person, and never repeated."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.connection.session import Password, Token
from pvenet.settings import Options, read_settings
from pvenet.settings.secrets import credentials as of_identity
from pvenet.settings.sources import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pvenet.connection.session import Credentials

ID = "root@pam!full"
SECRET = "11111111-1111-1111-1111-111111111111"


def credentials(environment: Mapping[str, str], prompt: Callable[[str], str] | None) -> Credentials:
    """Who we are, as an environment says."""
    return of_identity(read_settings(Options(endpoint=("pve1",)), environment).identity, prompt)


def wrong(ask: Callable[[], object]) -> errors.UsageError:
    """The UsageError; it and its traceback hold no secret."""
    with pytest.raises(errors.UsageError) as caught:
        ask()
    assert caught.value.exit_code == 2
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert SECRET not in told
    assert "hunter2" not in told
    return caught.value


@pytest.mark.parametrize("secret", [SECRET, f" {SECRET}\n", f"{ID}={SECRET}", f"{ID}={SECRET}\n# from the web UI\n"])
def test_a_secret_may_come_with_its_name(tmp_path: Path, secret: str) -> None:
    """Alone, or as the whole line; from the environment, a file, a command or a person."""
    expected = Token(id=ID, secret=SECRET)
    base = {"PVENET_TOKEN_ID": ID}
    path = tmp_path / "token"
    path.write_text(secret)
    path.chmod(0o600)
    program = f"{sys.executable} -c 'print(open(\"{path}\").read())'"
    assert credentials({**base, "PVENET_TOKEN_SECRET": secret}, None) == expected
    assert credentials({**base, "PVENET_TOKEN_FILE": str(path)}, None) == expected
    assert credentials({**base, "PVENET_TOKEN_COMMAND": program}, None) == expected
    assert credentials(base, lambda _: secret) == expected


def test_the_nearest_secret_wins(tmp_path: Path) -> None:
    """The variable over the file, the file over the command, all of them over the question."""
    (tmp_path / "token").write_text("of-the-file")
    (tmp_path / "token").chmod(0o600)
    environment = {
        "PVENET_TOKEN_ID": ID,
        "PVENET_TOKEN_SECRET": "of-the-variable",
        "PVENET_TOKEN_FILE": str(tmp_path / "token"),
        "PVENET_TOKEN_COMMAND": "echo of-the-command",
    }
    for name in ("variable", "file", "command", "question"):
        assert credentials(environment, lambda _: "of-the-question") == Token(id=ID, secret=f"of-the-{name}")
        environment.pop({"variable": "PVENET_TOKEN_SECRET"}.get(name, f"PVENET_TOKEN_{name.upper()}"), None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"\xff\xfe\x00", "it is not text"),
        (b"", "has no secret"),
        (b" \n\n", "has no secret"),
        (f"{ID}=".encode(), "has no secret"),
        (f"other@pam!net={SECRET}".encode(), "for the token other@pam!net"),
        (b"hunter2 and more", "no token has"),
        ("hünter2".encode(), "no token has"),
        (b"hunter2\x00", "no token has"),
    ],
)
def test_a_token_file_that_holds_none(tmp_path: Path, content: bytes | None, words: str) -> None:
    """Missing, binary, empty, another token's: told by name, and nothing of what is in it."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_FILE": str(path)}, None))
    assert words in error.message


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622, 0o660])
def test_a_token_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    """To read it, or to put another secret into it; the hint is the command that closes it."""
    path = tmp_path / "token"
    path.write_text(SECRET)
    path.chmod(mode)
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_FILE": str(path)}, None))
    assert error.message == f"PVENET_TOKEN_FILE {path} can be read by others"
    assert error.hint == f"`chmod 600 {path}`"


def test_a_token_may_come_through_a_pipe() -> None:
    """As a shell's `<(pass show token)` does."""
    reader, writer = os.pipe()
    os.write(writer, SECRET.encode())
    os.close(writer)
    found = credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_FILE": f"/dev/fd/{reader}"}, None)
    os.close(reader)
    assert found == Token(id=ID, secret=SECRET)


def test_a_token_file_without_an_end_is_read_to_a_bound() -> None:
    """/dev/zero is no token."""
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_FILE": "/dev/zero"}, None))
    assert "it is larger than 65536 bytes" in error.message


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("yes", "prints more than 65536 bytes"),
        ("sleep 30", "did not print a secret within 1 s"),
        ("sh -c 'echo x; sleep 30'", "did not print a secret within 1 s"),
        ("sh -c 'sleep 3 & echo x'", "did not print a secret within 1 s"),
        ("sh -c 'echo x; exec >&-; sleep 30'", "does not end"),
    ],
)
def test_a_command_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch, command: str, words: str) -> None:
    """In what it prints, and in time; what it printed is not shown."""
    monkeypatch.setattr("pvenet.settings.secrets.LONGEST", 1.0)
    begun = time.monotonic()
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_COMMAND": command}, None))
    assert words in error.message
    assert time.monotonic() - begun < 20


def test_a_token_file_of_windows_is_read(tmp_path: Path) -> None:
    """With its mark at the beginning and its line ends."""
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbf" + f"{SECRET}\r\n".encode())
    (tmp_path / "token").chmod(0o600)
    found = credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_FILE": str(tmp_path / "token")}, None)
    assert found == Token(id=ID, secret=SECRET)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("false", "ended with 1"),
        ("/no/such/program", "can't be run"),
        ("true", "has no secret"),
        ("  ", "can't be run"),
        ("echo 'hunter2", "can't be run"),
        ("printf '\\377'", "prints something that is not text"),
        (f"sh -c 'echo {SECRET}; exit 3'", "ended with 3"),
    ],
)
def test_a_command_that_gives_no_secret(command: str, words: str) -> None:
    """Failing, missing, silent, misspelled, binary: told, and nothing of what it printed."""
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_COMMAND": command}, None))
    assert error.message.startswith("the command of PVENET_TOKEN_COMMAND")
    assert words in error.message


@pytest.mark.parametrize(
    "text",
    [
        f"{ID}={SECRET}",
        f"{ID}:{SECRET}",
        f"{ID} {SECRET}",
        SECRET,
        f"PVEAPIToken={ID}={SECRET}",
        "root",
        "root@pam",
        "root!full",
        "@pam!full",
        "root@!full",
        "root@pam!",
        "rööt@pam!fülll",
    ],
)
def test_a_malformed_token_id_is_not_repeated(text: str) -> None:
    """It could hold the secret, or be it."""
    error = wrong(lambda: credentials({"PVENET_TOKEN_ID": text, "PVENET_TOKEN_SECRET": SECRET}, None))
    assert error.message == "PVENET_TOKEN_ID is not a token ID"
    assert "USER@REALM!NAME" in error.hint


@pytest.mark.parametrize("text", [ID, "joe@example.com@ad!pve.net-1", "a.b_c@my-realm!x"])
def test_a_token_id_may_look_like_this(text: str) -> None:
    """PVE's users may hold an @ themselves."""
    assert credentials({"PVENET_TOKEN_ID": text, "PVENET_TOKEN_SECRET": SECRET}, None).user == text


def test_a_password_is_taken_or_asked_for() -> None:
    """A token wins over a password; blanks of a password are its own."""
    environment = {"PVENET_USER": "root@pam", "PVENET_PASSWORD": " hunter2 "}
    assert credentials(environment, None) == Password(user="root@pam", password=" hunter2 ")
    answers = {"The password of root@pam: ": "hunter2"}
    assert credentials({"PVENET_USER": "root@pam"}, answers.__getitem__) == Password(
        user="root@pam", password="hunter2"
    )
    with_token = {**environment, "PVENET_TOKEN_ID": ID, "PVENET_TOKEN_SECRET": SECRET}
    assert credentials(with_token, None) == Token(id=ID, secret=SECRET)


@pytest.mark.parametrize("user", ["root", "root@", "@pam"])
def test_a_user_needs_a_realm(user: str) -> None:
    """The hint has the user's name with one."""
    error = wrong(lambda: credentials({"PVENET_USER": user, "PVENET_PASSWORD": SECRET}, None))
    assert "PVENET_USER" in error.message
    assert "@pam" in error.hint


@pytest.mark.parametrize(
    ("environment", "name"),
    [({"PVENET_TOKEN_ID": ID}, "PVENET_TOKEN_SECRET"), ({"PVENET_USER": "root@pam"}, "PVENET_PASSWORD")],
)
def test_without_a_terminal_nobody_is_asked(environment: Mapping[str, str], name: str) -> None:
    """The hint names the variables; an empty answer is none."""
    assert name in wrong(lambda: credentials(environment, None)).hint
    assert "empty" in wrong(lambda: credentials(environment, lambda _: "")).message


def test_nobody_is_a_wrong_setting() -> None:
    """Neither token nor user: the hint names both ways."""
    assert "who are you" in wrong(lambda: credentials({}, None)).message


def test_a_secret_is_in_no_repr() -> None:
    """Of a token or a password."""
    assert "hunter2" not in repr([Token(id=ID, secret="hunter2"), Password(user="root@pam", password="hunter2")])
    told = {"PVENET_TOKEN_ID": ID, "PVENET_TOKEN_SECRET": "hunter2", "PVENET_PASSWORD": "hunter2"}
    options = Options(endpoint=("pve1",))
    assert "hunter2" not in repr([read_settings(options, told), explained(options, told)])
