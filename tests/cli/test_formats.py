"""What --format and --quiet do to what a command prints."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pvenet.render.yaml import as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

LOOKING = [["list"], ["show", "vmbr0"], ["diff"], ["links"], ["guests"], ["tree"], ["status"], ["config", "show"]]


def read(text: str) -> list[Any]:
    """The documents of a text, by another reader's rules."""
    return list(YAML(typ="safe", pure=True).load_all(io.StringIO(text)))


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_the_formats_say_the_same(lab: Path, run: Callable[..., Ran], words: list[str]) -> None:
    """YAML is the data of JSON, --json is --format json, and a table is what stands there without either."""
    assert lab.exists()
    data = run(*words, "--json").data
    assert run(*words, "--format", "json").data == data
    assert read(run(*words, "--format=yaml").out) == [data]
    assert run(*words, "--format", "table").out == run(*words).out


def test_the_last_format_wins(lab: Path, run: Callable[..., Ran]) -> None:
    """What stands after the command's name wins over what stands before it, as with every option."""
    assert lab.exists()
    assert run("--json", "list", "--format", "table").out == run("list").out
    assert run("--format", "yaml", "list", "--json").data == run("list", "--json").data


@pytest.mark.parametrize("words", [["--format", "jsno"], ["--json", "--format", "yaml"], ["--format", "Table"]])
def test_a_format_that_there_is_not_is_wrong_usage(lab: Path, run: Callable[..., Ran], words: list[str]) -> None:
    """So is asking for two at once."""
    assert lab.exists()
    ran = run("list", *words)
    assert (ran.code, bool(ran.err)) == (2, True)


def test_events_as_yaml_are_documents(lab: Path, run: Callable[..., Ran]) -> None:
    """One each, the last of which is the end."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39")
    events = read(run("apply", "--yes", "--format", "yaml").out)
    assert events[0]["event"] == "shown"
    assert (events[-1]["event"], events[-1]["exit"]) == ("end", 0)


def test_errors_are_yaml_too(lab: Path, run: Callable[..., Ran]) -> None:
    """With the same keys."""
    assert lab.exists()
    (error,) = read(run("show", "vmbr9", "--format", "yaml").out)
    assert (error["kind"], error["exit"]) == ("invalid", 3)


TEXT = st.text(st.characters(codec="utf-8"))
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=12,
)


@given(DATA)
def test_yaml_reads_back_as_what_it_was(data: object) -> None:
    """Whatever words, numbers and nothings it holds, also those that YAML would take for something else."""
    assert read(as_yaml(data)) == [data]


def test_yaml_hides_nothing_that_turns_a_terminal_around(run: Callable[..., Ran], interfaces: Path) -> None:
    """Others' characters are escaped, and are still what they were for whoever reads the data."""
    hostile = "a\u202eb\u009bc für 😀"
    interfaces.write_text(interfaces.read_text() + f"\niface ens42 inet manual\n#{hostile}\n")
    ran = run("show", "ens42", "--format", "yaml")
    assert not {"\u202e", "\u009b"} & set(ran.out)
    assert (read(ran.out)[0]["comments"], "für 😀" in ran.out) == (hostile, True)


def test_quiet_says_nothing_where_all_is_well(lab: Path, run: Callable[..., Ran]) -> None:
    """What was done is told by the exit code; what was asked for is printed."""
    assert lab.exists()
    for words in (["bond", "create", "--slaves", "ens38,ens39"], ["apply", "--yes"], ["rollback", "--yes"], ["revert"]):
        ran = run("--quiet", *words)
        assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert run("list", "-q").out == run("list").out
    assert (run("diff", "-q").out, run("diff", "-q").err) == ("", "")


def test_quiet_keeps_data_errors_and_warnings(lab: Path, run: Callable[..., Ran]) -> None:
    """What is wrong is told as without it, and data is never less."""
    assert lab.exists()
    assert run("show", "vmbr9", "-q").err == run("show", "vmbr9").err
    assert run("bond", "create", "--slaves", "ens38,ens39", "-q", "--json").data["pending"] is True
    ran = run("apply", "--yes", "-q", "--fault", "reload-fails@PUT network")
    assert (ran.code, ran.out) == (8, "")
    assert ran.err.startswith("error: ")


def test_quiet_shows_what_a_question_is_about(lab: Path, run: Callable[..., Ran]) -> None:
    """Who is asked sees what he agrees to."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39")
    ran = run("apply", "-q")
    assert (ran.code, "+ bond bond0" in ran.err) == (7, True)


def test_a_quiet_rollout_tells_only_of_failures(cluster: Path, file: Path, run: Callable[..., Ran]) -> None:
    """One that goes well prints nothing; one that does not says which node, and sums up."""
    assert cluster.exists()
    file.write_text("nodes: {pve1: {ens40: {type: eth, mtu: 1400}}, pve2: {ens40: {type: eth, mtu: 1400}}}\n")
    ran = run("apply", "-f", "network.yaml", "-q", "--yes", "--fault", "reload-fails@PUT network")
    assert (ran.code, "pve2  untouched" in ran.out, "error: " in ran.err) == (8, True, True)
    ran = run("apply", "-f", "network.yaml", "-q", "--yes")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_export_as_json_is_a_network_file(lab: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    """`check` takes it and planning it changes nothing; --json stays the nodes as `list` gives them."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39", "--comments", "für 😀\nzwei\u202e")
    run("apply", "--yes")
    file = tmp_path / "network.json"
    file.write_text(run("export", "--format", "json").out)
    assert json.loads(file.read_text())["nodes"]["pve1"]["bond0"]["slaves"] == ["ens38", "ens39"]
    assert run("check", str(file)).code == 0
    assert run("plan", str(file), "--exit-code").code == 0
    listed = [{key: row[key] for key in row if key != "pending"} for row in run("list", "--json").data]
    assert run("export", "--json").data == {"pve1": listed}
    assert run("export", "--format", "yaml").out == run("export").out


def test_export_as_json_warns_of_what_the_yaml_has_in_comments(lab: Path, run: Callable[..., Ran]) -> None:
    """JSON has none: for a line that no call of the API sets, and for what pvenet does not write."""
    file = lab / "pve1/etc/network/interfaces"
    more = "\tpost-up true\n\niface ens40:1 inet static\n\taddress 10.0.9.1/24\n"
    file.write_text(file.read_text().replace("iface ens40 inet manual\n", f"iface ens40 inet manual\n{more}"))
    warned = run("export", "--format", "json", "-q").err
    assert "warning: pve1: ens40: in the file besides: post-up true\n" in warned
    assert "warning: pve1: ens40:1: of the kind alias, which pvenet does not write\n" in warned
    assert "warning" not in run("export").err + run("export", "--json").err
