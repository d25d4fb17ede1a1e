"""Text that somebody else wrote, in every field of a node: no command lets it reach the terminal raw."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pvenet import cli
from pvenet.foreign import fitting, guarded, harmless, json_safe, one_line
from pvenet.spec.parse import parse
from pvenet.spec.tree import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

    Run = Callable[..., Ran]

MARK = "a\x1b]0;evil\x07b\x9b31mc\u202ed\u200be\u2028f\x85g\x7fh\ufeffi\U000e0041j\x08k"
ESCAPED = r"a\x1b]0;evil\x07b\x9b31mc\u202ed\u200be\u2028f\x85g\x7fh\ufeffi\U000e0041j\x08k"
SOFT = MARK.replace("e\u2028f\x85", "").replace("i\U000e0041j\x08k", "")
SOFT_ESCAPED = ESCAPED.replace(r"e\u2028f\x85", "").replace(r"i\U000e0041j\x08k", "")
"""The same without ends of lines, for a file that is written again."""
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what a terminal obeys or hides."""


def raw(text: str) -> list[str]:
    """What in a text is not for a terminal."""
    return [letter for letter in text if letter not in "\n\t" and unicodedata.category(letter) in HIDDEN]


def clean(ran: Ran) -> Ran:
    assert raw(ran.out) == []
    assert raw(ran.err) == []
    return ran


@pytest.fixture
def marked(lab: Path, interfaces: Path) -> Path:
    """The lab, with the mark in comments and in lines that PVE keeps as they are."""
    text = interfaces.read_text().replace("iface ens37 inet manual\n", f"iface ens37 inet manual\n#{SOFT}\n")
    text += f"\nauto vmbr7\niface vmbr7 inet manual\n\tbridge-ports none\n\tpost-up echo \x1b[2J\n#{MARK}\n#{MARK}\n"
    interfaces.write_text(text, newline="")
    return lab


def test_every_letter_that_a_terminal_obeys_or_hides_is_escaped() -> None:
    """All of Unicode's controls, formats, halves and ends of lines; only line feeds and tabs stay."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert raw(harmless(everything)) == []
    assert raw(json_safe(everything.replace("\\", "").replace('"', ""))) == []
    assert raw(one_line(everything)) == []
    assert not {"\n", "\t"} & set(one_line(everything))


def test_letters_stay_as_they_are() -> None:
    """Of any script, with their accents, blanks and signs."""
    text = "Höhe, Ελληνικά, русский, 日本語, עברית, العربية, हिन्दी, e\u0301, €, 🙂, \xa0"
    assert (harmless(text), one_line(text), json_safe(text)) == (text, text, text)


def test_json_reads_back_equal() -> None:
    """What is escaped in it is escaped as JSON does it, large letters as pairs."""
    text = json_safe(json.dumps(f"{MARK}\n\udc80\U0001bca0", ensure_ascii=False))
    assert json.loads(text) == f"{MARK}\n\udc80\U0001bca0"
    assert json.loads(fitting(text, "ascii", json=True)) == f"{MARK}\n\udc80\U0001bca0"


def test_what_pve_says_begins_no_message_of_ours() -> None:
    """A line in the middle of an error that begins as a hint does is moved in."""
    assert (
        guarded("error: pve1 refuses\nhint: run this\nWarning: so")
        == "error: pve1 refuses\n  hint: run this\n  Warning: so"
    )


@pytest.fixture
def soft(lab: Path, interfaces: Path) -> Path:
    """The lab, with the mark that ends no line in a comment."""
    text = interfaces.read_text().replace("iface ens37 inet manual\n", f"iface ens37 inet manual\n#{SOFT}\n")
    interfaces.write_text(text, newline="")
    return lab


@pytest.mark.usefixtures("marked")
class TestCommands:
    """Whatever shows what stands on a node."""

    @pytest.mark.parametrize(
        "words",
        [
            ["list"],
            ["show", "ens37"],
            ["show", "vmbr7"],
            ["status"],
            ["diff"],
            ["export"],
            ["sim", "show", "{lab}"],
            ["sim", "check", "{lab}"],
            ["eth", "set", "ens37", "--mtu", "1400"],
            ["eth", "set", "ens37", "--comments", "mine", "--debug"],
            ["bridge", "delete", "vmbr7"],
            ["bridge", "set", "vmbr7", "--clear", "comments", "--lossy"],
        ],
        ids=" ".join,
    )
    def test_show_it_harmless(self, lab: Path, run: Run, words: list[str]) -> None:
        """In text and in JSON, on stdout and on stderr, before and after a change."""
        words = [word.format(lab=lab) for word in words]
        clean(run(*words, "--json"))
        clean(run(*words))
        clean(run("diff"))
        clean(run("diff", "--json"))
        clean(run("apply", "--yes", "--allow-management"))

    def test_show_that_something_was_there(self, run: Run) -> None:
        """Each letter as its escape."""
        assert SOFT_ESCAPED in run("list").out
        assert f"{ESCAPED} / {ESCAPED}" in run("list").out
        assert r"a\u001b]0;evil\u0007b\u009b31mc\u202e" in run("show", "ens37", "--json").out
        run("eth", "set", "ens37", "--mtu", "1400")
        assert SOFT_ESCAPED in run("diff").out

    def test_json_gives_the_text_as_it_is(self, run: Run) -> None:
        """A script reads what the node has."""
        assert run("show", "ens37", "--json").data["comments"] == SOFT
        assert run("show", "vmbr7", "--json").data["comments"] == f"{MARK}\n{MARK}"

    def test_an_odd_answer_is_harmless(self, run: Run) -> None:
        """What a server says in place of PVE, names of nodes and of interfaces among it."""
        for field in ("iface", "type", "comments", "method"):
            entry = {"iface": "ens37", "type": "eth", "method": "manual", "families": ["inet"], field: f"x{MARK}"}
            text = json.dumps({"data": [entry]})
            clean(run("list", "--fault", f"odd-answer={text}@GET network"))
            clean(run("show", "nope", "--fault", f"odd-answer={text}@GET network"))
        nodes = json.dumps({"data": [{"node": f"pve1{MARK}"}, {"node": "pve2"}]})
        ran = clean(run("list", "--fault", f"odd-answer={nodes}@GET nodes"))
        assert ran.code != 0
        assert "Traceback" not in ran.err

    @pytest.mark.parametrize("place", ["iface", "node"])
    def test_a_name_fakes_no_line(self, run: Run, place: str) -> None:
        """A name that goes on over its line is no name, and is not listed."""
        if place == "iface":
            entry = {"iface": "ens37\nhint: run evil", "type": "eth", "method": "manual"}
            fault = f"odd-answer={json.dumps({'data': [entry]})}@GET network"
        else:
            fault = f"odd-answer={json.dumps({'data': [{'node': 'pve1' + chr(10) + 'hint: run evil'}]})}@GET nodes"
        ran = run("list", "--fault", fault)
        assert ran.code == 6
        assert "\nhint: run evil" not in ran.err

    def test_a_wrong_word_of_the_command_line_is_harmless(self, run: Run) -> None:
        """Options, names and files may come from somewhere else as well."""
        for words in (["show", MARK], ["list", "--node", MARK], [MARK], ["check", "-f", MARK], ["list", f"--{MARK}"]):
            assert clean(run(*words)).code != 0

    @pytest.mark.parametrize("words", [["eth", "set", "ens38", "--comments", "a\udcffb"], ["show", "e\udcff"]])
    def test_bytes_that_are_no_text_are_a_usage_error(self, run: Run, words: list[str]) -> None:
        """As a terminal in another encoding types them; nothing is sent."""
        ran = clean(run(*words))
        assert ran.code == 2
        assert "is not UTF-8" in ran.err

    def test_a_network_file_is_shown_harmless(self, tmp_path: Path, run: Run) -> None:
        """Its names, its values and what is wrong with them."""
        file = tmp_path / "evil.yaml"
        text = json_safe(json.dumps(MARK, ensure_ascii=False))
        file.write_text(f"nodes:\n  pve1:\n    vmbr9: {{type: bridge, comments: {text}, ports: [{text}], {text}: 1}}\n")
        for words in (["check"], ["plan"], ["apply", "--yes"]):
            clean(run(*words, "-f", str(file)))
        text = json_safe(json.dumps(SOFT, ensure_ascii=False))
        file.write_text(f"nodes:\n  pve1:\n    ens38: {{type: eth, comments: {text}, mtu: 1400}}\n")
        clean(run("plan", "-f", str(file)))
        clean(run("plan", "-f", str(file), "--json"))


@pytest.mark.usefixtures("soft")
class TestApplies:
    """Whatever writes to a node that has such text."""

    def test_an_apply_shows_it_harmless(self, run: Run) -> None:
        """The diff before the question, the events, the verdict and the rollback."""
        run("eth", "set", "ens37", "--mtu", "1400")
        ran = clean(run("apply", "--yes", "--allow-management"))
        assert SOFT_ESCAPED in ran.err
        clean(run("rollback", "--yes", "--allow-management", "--json"))

    def test_a_colour_is_ours_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a terminal that has colours, the only escape sequences are those that pvenet begins."""

        class Screen(io.StringIO):
            def isatty(self) -> bool:
                return True

        screen = Screen()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert cli.main(["eth", "set", "ens37", "--comments", "\x1b[31mred"]) == 0
        assert cli.main(["list"]) == 0
        shown = screen.getvalue()
        assert r"\x1b[31mred" in shown
        assert "\x1b[33m" in shown
        assert raw(re.sub(r"\x1b\[(?:0|1|3[1-6])m", "", shown)) == []

    def test_a_task_log_is_harmless(self, run: Run) -> None:
        """The lines that a reload logs, and what follows from them."""
        run("eth", "set", "ens38", "--mtu", "1400")
        ran = clean(run("apply", "--yes", "--fault", f"reload-fails=1:{MARK}@PUT network"))
        assert ESCAPED in ran.err
        assert ran.code == 8


def test_an_export_reads_back_equal(soft: Path, interfaces: Path, run: Run) -> None:
    """Comments with letters that are not shown stand in quotes, as YAML escapes them."""
    assert soft.exists()
    odd = "Höhe a\x1bb\u202ec\u200bd\U000e0041e\ufe0ff\u3164"
    interfaces.write_text(interfaces.read_text().replace(f"#{SOFT}\n", f"#{odd}\n", 1))
    text = clean(run("export")).out
    assert plain(parse(text)[0])["nodes"]["pve1"]["ens37"]["comments"] == odd


def test_only_one_module_writes() -> None:
    """The door can't be bypassed: nothing else of the command line prints, or has stdout or stderr written to."""
    allowed = {"output.py"}
    for path in Path(cli.__file__).parent.glob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if path.name not in allowed and isinstance(found, ast.Attribute):
                assert found.attr not in ("write", "writelines", "echo", "secho"), f"{path.name}:{found.lineno}"
            assert not (isinstance(found, ast.Name) and found.id == "print"), path.name
