"""Ctrl-C while a command is still being loaded: it ends as it does later."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import signal, sys

class Presses:
    def find_spec(self, name, *_):
        if name == loaded:
            signal.raise_signal(signal.SIGINT)

loaded = sys.argv.pop(1)
sys.meta_path.insert(0, Presses())
from pvenet.__main__ import entry
entry()
"""
"""Presses Ctrl-C when the module is loaded that is the first word; the others are the command line."""


@pytest.mark.parametrize("loaded", ["pvenet.cli", "typer", "pvenet.cli.usage", "pvenet.cli.recovery", "pvenet.node"])
def test_ctrl_c_while_it_is_loaded_ends_in_a_sentence(tmp_path: Path, loaded: str) -> None:
    """Exit 130 and no traceback, whichever module is on its way."""
    words = ["status", "--sim", str(tmp_path / "lab")]
    done = subprocess.run([sys.executable, "-c", SCRIPT, loaded, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.splitlines()[0] == "error: interrupted"
    assert "Traceback" not in done.stderr


def test_without_a_stderr_it_ends_without_a_word() -> None:
    """Nothing is written to what has been opened in its place."""
    command = f"exec {sys.executable} -c '{SCRIPT}' typer status 2>&-"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
