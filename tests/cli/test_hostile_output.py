"""Terminals and disks that misbehave: output never dies, and stops no apply."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pvenet import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

UMLAUT = "reload-fails=1:Höhe → zu groß@PUT network"
DATA = [["list"], ["list", "--json"], ["export"], ["--version"], ["--help"], ["eth", "set", "--help"]]
pytestmark = pytest.mark.usefixtures("lab")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pvenet", *words]


def process(words: list[str], *, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command line in a shell, with its redirections."""
    line = f'"$@" {redirect}'
    return subprocess.run(
        ["sh", "-c", line, "sh", *command(*words)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "", **environment},
        timeout=60,
    )


class Encoded:
    """A stdout and a stderr in some encoding."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self.encoding = encoding
        self.bytes = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, buffer in self.bytes.items():
            monkeypatch.setattr(sys, name, io.TextIOWrapper(buffer, encoding=encoding))

    def text(self, name: str) -> str:
        return self.bytes[name].getvalue().decode(self.encoding)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
class TestEncodings:
    """A stdout that lacks letters."""

    def test_a_failed_reload_is_rolled_back(
        self, monkeypatch: pytest.MonkeyPatch, run: Run, interfaces: Path, encoding: str
    ) -> None:
        """Its log has letters that the stream lacks: they are escaped, and the rollback goes on."""
        run("eth", "set", "ens38", "--mtu", "1400")
        stream = Encoded(monkeypatch, encoding)
        assert cli.main(["apply", "--yes", "--json", "--fault", UMLAUT]) == 8
        events = [json.loads(line) for line in stream.text("stdout").splitlines()]
        logs = [event["log"] for event in events if event["event"] == "task_ended"]
        assert "Höhe → zu groß" in logs[0]
        assert "mtu" not in interfaces.read_text()

    def test_text_is_escaped(self, monkeypatch: pytest.MonkeyPatch, run: Run, encoding: str) -> None:
        """On stderr as well, where the log of a failure stands."""
        run("eth", "set", "ens38", "--mtu", "1400")
        stream = Encoded(monkeypatch, encoding)
        assert cli.main(["apply", "--yes", "--fault", UMLAUT]) == 8
        dash = {"utf-8": "→"}.get(encoding, r"\u2192")
        assert f" {dash} zu gro" in stream.text("stderr")

    def test_an_export_reads_back_equal(
        self, monkeypatch: pytest.MonkeyPatch, interfaces: Path, tmp_path: Path, encoding: str
    ) -> None:
        """What is escaped is escaped as YAML does it."""
        interfaces.write_text(interfaces.read_text().replace("For management", "Höhe 日本 🙂"))
        stream = Encoded(monkeypatch, encoding)
        assert cli.main(["export"]) == 0
        (tmp_path / "file.yaml").write_text(stream.text("stdout"))
        stream = Encoded(monkeypatch, encoding)
        assert cli.main(["plan", "-f", str(tmp_path / "file.yaml")]) == 0
        assert "no changes" in stream.text("stdout")


class TestFullDisks:
    """Nothing can be written."""

    @pytest.mark.parametrize("words", DATA)
    def test_data_that_is_lost_is_an_error(self, words: list[str]) -> None:
        """One sentence, the same for Typer's own help, and exit 1."""
        done = process(words, redirect=">/dev/full")
        assert done.returncode == 1
        assert done.stderr.startswith(b"error: the output can't be written: No space left on device\n")
        assert b"Traceback" not in done.stderr
        assert b"Exception" not in done.stderr

    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_a_wrong_command_line_is_one(self, unbuffered: str) -> None:
        """Nothing of it was for stdout, whether that has a buffer or not."""
        done = process(["lisst"], redirect=">/dev/full", PYTHONUNBUFFERED=unbuffered)
        assert done.returncode == 2
        assert b"can't be written" not in done.stderr

    def test_work_goes_on(self, run: Run, interfaces: Path) -> None:
        """Staging, applying and putting back end as they would, whatever becomes of what they say."""
        for redirect, form in ((">/dev/full", []), (">/dev/full 2>/dev/full", ["--json"]), (">&- 2>&-", [])):
            assert process(["eth", "set", "ens38", "--mtu", "1400", *form], redirect=redirect).returncode == 0
            assert process(["apply", "--yes", *form], redirect=redirect).returncode == 0
            assert "mtu 1400" in interfaces.read_text()
            assert process(["rollback", "--yes", *form], redirect=redirect).returncode == 0
            assert "mtu 1400" not in interfaces.read_text()
        assert run("status").code == 0

    def test_a_failure_is_rolled_back(self, run: Run, interfaces: Path) -> None:
        """With its own exit code."""
        run("eth", "set", "ens38", "--mtu", "1400")
        words = ["apply", "--yes", "--fault", UMLAUT]
        assert process(words, redirect=">/dev/full 2>/dev/full").returncode == 8
        assert "mtu 1400" not in interfaces.read_text()

    def test_a_reader_who_goes_is_no_error(self) -> None:
        """`pvenet list | true` says nothing."""
        done = process(["list"], redirect="| sleep 0.01")
        assert done.stderr == b""

    @pytest.mark.parametrize("words", DATA)
    def test_a_reader_who_has_gone_is_told_nothing(self, words: list[str]) -> None:
        """The pipe is closed before the first word."""
        nobody, there = os.pipe()
        os.close(nobody)
        done = subprocess.run(command(*words), stdout=there, stderr=subprocess.PIPE, check=False, timeout=60)
        os.close(there)
        assert (done.returncode, done.stderr) == (1, b"")


def test_few_open_files_are_an_error_in_a_sentence() -> None:
    """Whatever is opened last fails with words, or nothing fails."""
    for number in (5, 6, 8):
        script = f'ulimit -n {number}; exec "$@"'
        done = subprocess.run(["sh", "-c", script, "sh", *command("list")], capture_output=True, check=False)
        assert done.returncode in (0, 1, 6)
        assert b"Traceback" not in done.stderr


class TestLastDoor:
    """What nobody foresaw."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Exception:
        from pvenet.node import Node

        error = KeyError("secret \x1b[31m")

        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(Node, "glance", fail)
        return error

    @pytest.mark.usefixtures("broken")
    def test_a_fault_of_ours_is_a_sentence(self, run: Run) -> None:
        """Its type and its place, to be reported; nothing of what it holds."""
        ran = run("list")
        assert ran.code == 1
        assert "a bug in pvenet itself: KeyError at pvenet/apply/listing.py:" in ran.err
        assert "secret" not in ran.err
        assert "Traceback" not in ran.err
        assert "through" not in ran.err

    @pytest.mark.usefixtures("broken")
    def test_debug_shows_the_way_there(self, run: Run) -> None:
        """The places, and none of the values."""
        ran = run("list", "--debug")
        assert ran.code == 1
        assert "listing.py" in ran.err.split("error:")[0]
        assert "secret" not in ran.err

    def test_the_machine_refuses(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """An error of the operating system's, in its words."""
        from pvenet.node import Node

        def fail(*_: object, **__: object) -> None:
            raise OSError(24, "Too many open files", "/etc/x\x1b")

        monkeypatch.setattr(Node, "glance", fail)
        ran = run("list")
        assert ran.code == 1
        assert r"Too many open files (/etc/x\x1b)" in ran.err
