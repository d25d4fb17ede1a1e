"""Somebody's own check has the last word on what was applied."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from lab import Lab

from pvenet import errors
from pvenet.apply.verify_with import environment_for
from pvenet.connection.session import Password, Token
from pvenet.events import CheckedWith, Verdict

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    found = Lab(tmp_path / "lab")
    found.tagged()
    return found


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def told(lab: Lab) -> CheckedWith:
    return next(event for event in lab.events if isinstance(event, CheckedWith))


def test_a_check_that_ends_with_0_lets_it_stay(lab: Lab) -> None:
    """What it has said is told, line by line."""
    assert lab.apply(verify_with=python("print('one\\ntwo')")).verdict is Verdict.APPLIED
    assert (told(lab).exit_code, told(lab).output) == (0, ("one", "two"))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "ended with 3"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
    ],
)
def test_anything_else_rolls_back(lab: Lab, code: str, said: str) -> None:
    """And the message says how it ended."""
    assert said in lab.failed(errors.RolledBack, verify_with=python(code)).message
    assert "bond0" not in lab.live


def test_a_check_that_can_not_be_run_rolls_back(lab: Lab) -> None:
    """It may have gone since the command line was read."""
    assert "can't be run" in lab.failed(errors.RolledBack, verify_with=("/nowhere/check",)).message


def test_a_check_that_takes_too_long_is_ended_and_rolled_back(lab: Lab) -> None:
    """The time that is left of the apply's own is all it has, and nothing of it runs on."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    error = lab.failed(errors.RolledBack, verify_with=python(code), timeout=3.0)
    assert "had not ended when the time was up" in error.message
    number = int(told(lab).output[0]) if told(lab).output else None
    if number is not None:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_it_learns_where_and_no_secret(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node, the endpoint and the journal; nothing that opens the node."""
    monkeypatch.setenv("PVENET_TOKEN_SECRET", "hush")
    monkeypatch.setenv("PROXMOX_TOKEN_SECRET", "hush")
    monkeypatch.setenv("MY_URL", "http://192.0.2.1/health")
    lab.apply(verify_with=python("import os; [print(f'{k}={v}') for k, v in sorted(os.environ.items())]"))
    given = dict(line.split("=", 1) for line in told(lab).output if "=" in line)
    assert given["PVENET_NODE"] == "pve1"
    assert given["PVENET_ENDPOINT"].startswith("https://")
    assert given["PVENET_JOURNAL"].endswith(".json")
    assert given["MY_URL"] == "http://192.0.2.1/health"
    assert "hush" not in given.values()
    assert {name for name in given if name.startswith("PVENET_")} == {
        "PVENET_NODE",
        "PVENET_ENDPOINT",
        "PVENET_JOURNAL",
    }


@pytest.mark.parametrize(
    "credentials", [Token(id="root@pam!x", secret=SECRET), Password(user="root@pam", password=SECRET)]
)
def test_a_variable_of_any_name_that_holds_the_secret_is_left_out(credentials: Token | Password) -> None:
    """A profile's `token_env` may have any name."""
    given = environment_for({"LAB_TOKEN": f"x={SECRET}", "HOME": "/root"}, credentials, {})
    assert given == {"HOME": "/root"}


def test_a_password_in_a_url_is_left_out() -> None:
    """There its signs stand in another spelling."""
    url = "https://root%40pam:p%40ss%21word@192.0.2.1:8006"
    assert not environment_for({"LAB": url}, Password(user="root@pam", password="p@ss!word"), {})


def test_it_is_not_run_where_pvenet_itself_has_found_something(lab: Lab) -> None:
    """It comes after all of pvenet's own checks."""
    lab.order("not-joined=ens39@PUT network")
    lab.failed(errors.RolledBack, verify_with=python("print('ran')"))
    assert not [event for event in lab.events if isinstance(event, CheckedWith)]


def test_ctrl_c_while_it_runs_does_not_run_it_twice(lab: Lab, tmp_path: Path) -> None:
    """The first one says what is under way, and it is waited for."""
    file = tmp_path / "ran"
    code = f"import time; open({str(file)!r}, 'a').write('x'); time.sleep(0.3)"
    presses = f"import os, signal; os.kill({os.getpid()}, signal.SIGINT); "
    assert lab.apply(verify_with=python(presses + code)).verdict is Verdict.APPLIED
    assert "Ctrl-C again stops waiting" in lab.warnings
    assert file.read_text() == "x"
