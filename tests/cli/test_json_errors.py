"""With --json an error stands on stdout in place of the answer, whatever has failed, and wherever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pvenet import cli, errors
from pvenet.cli import listing
from pvenet.cli.answer import STREAMS, foreseen
from pvenet.cli.options import VALUED
from pvenet.fleet import rollout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

LOST = ["--fault", "drop-before@GET network", "--fault", "drop-before@GET network+2"]
FAILING = {
    "an option that there is not": (["list", "--bogus"], "usage"),
    "a command that there is not": (["bogus"], "usage"),
    "a noun without its verb": (["bond"], "usage"),
    "no argument": (["show"], "usage"),
    "a value that is none": (["vlan", "create", "--tag", "x"], "usage"),
    "an interface that there is not": (["show", "vmbr9"], "invalid"),
    "an address that is none": (["eth", "set", "ens37", "--cidr", "x"], "invalid"),
    "nobody answers": (["list", *LOST], "unreachable"),
    "something else answers": (["list", "--fault", "odd-answer=1@GET network"], "not_pve"),
    "a refusal": (["list", "--fault", "error@GET network"], "refused_by_pve"),
    "a loss": (["eth", "set", "ens41", "--comments", "x"], "lossy"),
}


@pytest.mark.parametrize("case", FAILING)
def test_an_error_is_one_object(run: Callable[..., Ran], interfaces: Path, case: str) -> None:
    """It has the message, the hint, a word and the exit code; people find the same on stderr."""
    interfaces.write_text(interfaces.read_text().replace("iface ens41 inet manual", "iface ens41 inet dhcp"))
    words, kind = FAILING[case]
    for where in (["--json", *words], [*words, "--json"]):
        ran = run(*where)
        assert list(ran.data) == ["error", "hint", "kind", "exit"]
        assert (ran.data["kind"], ran.data["exit"]) == (kind, ran.code)
        assert ran.code != 0
        assert f"error: {ran.data['error']}" in ran.err or case == "a noun without its verb"
        assert ran.data["hint"] in ran.err or case == "a noun without its verb"


STREAMING = {
    "apply, no such option": (["apply", "--bogus"], "usage", "end"),
    "rollback, no such option": (["rollback", "--bogus"], "usage", "end"),
    "options that go together badly": (["apply", "--arm", "--no-wait"], "usage", "end"),
    "nobody answers": (["apply", "--yes", *LOST], "unreachable", "end"),
    "nobody is asked": (["apply"], "needs_consent", "end"),
    "a file that is not there": (["apply", "-f", "nowhere.yaml", "--yes"], "usage", "summary"),
    "a node that is not there": (["apply", "--yes", "--node", "pve7"], "usage", "end"),
}


@pytest.mark.parametrize("case", STREAMING)
def test_an_error_ends_a_stream(run: Callable[..., Ran], lab: Path, case: str) -> None:
    """Its last line is the end, or the summary of many nodes, also before any node is known; there is no second one."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39")
    words, kind, last = STREAMING[case]
    ran = run(*words, "--json")
    assert (ran.end["event"], ran.end["kind"], ran.end["exit"]) == (last, kind, ran.code)
    assert ran.end["message"] in ran.err
    assert ran.end["hint"] in ran.err
    assert [line["event"] for line in ran.lines].count(last) == 1
    assert all("event" in line for line in ran.lines)


def test_a_rollout_that_fails_ends_with_its_summary(cluster: Path, file: Path, run: Callable[..., Ran]) -> None:
    """Each node's end stands before it, with a hint and a word of its own; who was not reached is named at the end."""
    assert cluster.exists()
    file.write_text("nodes: {pve1: {ens40: {type: eth, mtu: 1400}}, pve2: {ens40: {type: eth, mtu: 1400}}}\n")
    ran = run("apply", "-f", "network.yaml", "--yes", "--json", "--fault", "reload-fails@PUT network")
    ends = [line for line in ran.lines if line["event"] == "end"]
    assert [each["kind"] for each in ends] == ["rolled_back"]
    assert ran.end["event"] == "summary"
    assert (ran.end["kind"], ran.end["exit"]) == ("rolled_back", ran.code)
    assert ran.end["hint"] == ends[0]["hint"]
    assert ran.end["message"] == f"{ends[0]['message']}\nnot reached: pve2"


def test_an_interrupted_question_of_a_rollout_ends_with_a_summary(
    lab: Path, file: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what comes as no error of ours is told where the stream ends."""
    assert lab.exists()
    file.write_text("nodes: {pve1: {ens40: {type: eth, mtu: 1400}}}\n")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rollout, "refuse_unapproved", interrupted)
    ran = run("apply", "-f", "network.yaml", "--yes", "--json")
    assert [line["event"] for line in ran.lines] == ["planned", "summary"]
    assert (ran.end["kind"], ran.end["exit"], ran.code) == ("interrupted", 130, 130)


@pytest.mark.parametrize(("raised", "kind"), [(KeyboardInterrupt(), "interrupted"), (KeyError("secret"), "unexpected")])
def test_what_nobody_foresaw_is_told_too(
    lab: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, raised: BaseException, kind: str
) -> None:
    """Ctrl-C, and a bug in pvenet itself, which never tells what it held."""
    assert lab.exists()

    def fails(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(listing, "read", fails)
    ran = run("list", "--json")
    assert (ran.data["kind"], ran.data["exit"]) == (kind, ran.code)
    assert "secret" not in ran.out + ran.err


def test_data_that_says_itself_what_is_wrong_stands_alone(lab: Path, file: Path, run: Callable[..., Ran]) -> None:
    """Where the answer was given, stdout has no second document; the exit code and stderr tell the rest."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39")
    assert (run("diff", "--exit-code", "--json").code, run("diff", "--exit-code", "--json").data["pending"]) == (
        10,
        True,
    )
    file.write_text("nodes: {pve1: {ens40: {type: nothing}}}\n")
    ran = run("check", "--json")
    assert (ran.code, [each["line"] for each in ran.data]) == (3, [1])


def test_without_json_stdout_has_no_error(interfaces: Path, run: Callable[..., Ran]) -> None:
    """Whoever reads text finds nothing but what was asked for there."""
    interfaces.write_text(interfaces.read_text().replace("iface ens41 inet manual", "iface ens41 inet dhcp"))
    for words, _ in FAILING.values():
        assert run(*words).out == ""
    for words, _, _ in STREAMING.values():
        assert run(*words).out == ""


def every_class(kind: type[errors.PvenetError] = errors.PvenetError) -> list[type[errors.PvenetError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in every_class(child))]


def test_each_error_has_a_word_of_its_own() -> None:
    """A script may rely on it: each class of the tree says one, and no two the same."""
    ours = [kind for kind in every_class() if kind.__module__ == "pvenet.errors"]
    words = [vars(kind).get("kind", f"{kind.__name__} has none") for kind in ours]
    assert sorted(set(words)) == sorted(words)
    assert all(word.replace("_", "").isalpha() and word == word.lower() for word in words), words


@pytest.mark.parametrize(
    ("words", "form", "streams"),
    [
        (["list", "--json"], "json", False),
        (["--json", "apply"], "json", True),
        (["--node", "apply", "list"], "table", False),
        (["--node=pve1", "apply", "--format=yaml"], "yaml", True),
        (["--debug", "rollback", "--format", "json"], "json", True),
        (["--json", "list", "--format", "table"], "table", False),
        (["show", "--", "--json"], "table", False),
        (["list", "--format"], "table", False),
        ([], "table", False),
    ],
)
def test_how_to_answer_is_told_before_the_words_are_parsed(words: list[str], form: str, *, streams: bool) -> None:
    """So that wrong usage is answered as what was asked for would have been."""
    answer = foreseen(words, VALUED)
    assert (answer.form, answer.streams) == (form, streams)


def test_a_stream_is_a_command(run: Callable[..., Ran]) -> None:
    """What is said to stream is there, or will be."""
    there = {words for words in STREAMS if run(words, "--help").code == 0}
    assert there >= {"apply", "rollback"}


def test_every_event_says_where_and_when(cluster: Path, file: Path, run: Callable[..., Ran]) -> None:
    """Each has a node, or null where it is about several, and the time at which it was told, in order."""
    assert cluster.exists()
    file.write_text("nodes: {pve1: {ens40: {type: eth, mtu: 1400}}, pve2: {ens40: {type: eth, mtu: 1400}}}\n")
    lines = run("apply", "-f", "network.yaml", "--yes", "--json").lines
    assert [line["node"] for line in lines if line["event"] in ("planned", "summary")] == [None, None]
    assert {line["node"] for line in lines[1:-1]} == {"pve1", "pve2"}
    times = [line["at"] for line in lines]
    assert times == sorted(times)
    assert all(time.endswith("Z") and len(time) == len("2026-11-26T07:15:50.216Z") for time in times)


def end(ran: Ran) -> dict[str, Any]:
    return {**ran.end, "interfaces": {each["name"]: each["state"] for each in ran.end["interfaces"]}}


def test_the_end_tells_how_what_was_changed_stands(lab: Path, run: Callable[..., Ran]) -> None:
    """The interfaces, the journal and how long it took; after a rollback, too, asked for or not."""
    run("bond", "create", "--slaves", "ens38,ens39")
    failed = end(run("apply", "--yes", "--json", "--fault", "reload-fails@PUT network"))
    assert (failed["verdict"], failed["interfaces"]["bond0"]) == ("rolled_back", "gone")
    run("bond", "create", "--slaves", "ens38,ens39")
    applied = end(run("apply", "--yes", "--json"))
    assert applied["interfaces"] == {"bond0": "active", "ens38": "active", "ens39": "active"}
    back = end(run("rollback", "--yes", "--json"))
    assert (back["verdict"], back["interfaces"]["bond0"], back["kind"]) == ("rolled_back", "gone", None)
    assert back["journal"] == applied["journal"] != failed["journal"]
    for each in (failed, applied, back):
        assert each["elapsed"] > 0
        assert json.loads((lab / each["journal"]).read_text())["node"] == "pve1"


def test_an_end_before_the_reload_names_no_interface_as_changed(lab: Path, run: Callable[..., Ran]) -> None:
    """What was refused before anything was sent has taken no time and has no state to tell."""
    assert lab.exists()
    run("bond", "create", "--slaves", "ens38,ens39")
    refused = end(run("apply", "--json"))
    assert (refused["elapsed"], refused["journal"], set(refused["interfaces"].values())) == (0, "", {"not_known"})


def test_main_alone_knows_the_words_of_its_process(lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Started as a program it reads the same command line."""
    assert lab.exists()
    monkeypatch.setattr("sys.argv", ["pvenet", "list", "--json", "--bogus"])
    assert cli.main() == 2
    assert json.loads(capsys.readouterr().out)["kind"] == "usage"
