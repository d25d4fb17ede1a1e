"""The JSON of every command, held to the schema that `pvenet schema --output` prints.

The `run` of all tests does that with whatever they print; here every command is run, in several states.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import documents
import fastjsonschema
import pytest
from recorder import set_nature
from schemas import command_of, validate, validator

from pvenet.cli.answer import STREAMS
from pvenet.cli.schemas import ERROR, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

LOOKING = [
    ["list"],
    ["show", "vmbr0"],
    ["links"],
    ["guests"],
    ["tree"],
    ["doctor"],
    ["diff"],
    ["status"],
    ["history"],
    ["history", "show", "1"],
    ["rescue"],
    ["export"],
    ["plan"],
    ["drift"],
    ["check"],
    ["lint"],
    ["config", "show"],
    ["sim", "faults"],
    ["sim", "show", "lab"],
    ["sim", "check", "lab"],
]
CHANGING = [
    ["bond", "create", "bond0", "--slaves", "ens38,ens39"],
    ["bond", "set", "bond0", "--mode", "active-backup"],
    ["vlan", "create", "bond0.5", "--cidr", "10.0.5.1/24"],
    ["bridge", "create", "vmbr1", "--ports", "bond0"],
    ["bridge", "set", "vmbr0", "--vlan-aware"],
    ["eth", "set", "ens40", "--mtu", "1400"],
    ["apply", "--yes", "--allow-management", "--arm"],
    ["vlan", "set", "bond0.5", "--clear", "cidr"],
    ["vlan", "delete", "bond0.5"],
    ["bridge", "delete", "vmbr1"],
    ["bond", "delete", "bond0"],
    ["revert"],
    ["rollback", "--yes", "--allow-management"],
    ["ovs-bridge", "create", "vmbr5", "--ports", "ens38"],
    ["ovs-bridge", "set", "vmbr5", "--comments", "x"],
    ["ovs-bond", "create", "bond5", "--bridge", "vmbr5", "--slaves", "ens39,ens40"],
    ["ovs-bond", "set", "bond5", "--tag", "5"],
    ["ovs-port", "create", "mgmt0", "--bridge", "vmbr5", "--cidr", "10.0.6.1/24"],
    ["ovs-port", "set", "mgmt0", "--tag", "7"],
    ["apply", "--yes", "--no-wait"],
    ["wait"],
    ["ovs-port", "delete", "mgmt0"],
    ["ovs-bond", "delete", "bond5"],
    ["ovs-bridge", "delete", "vmbr5"],
    ["apply", "--yes", "--confirm-within", "1"],
    ["confirm"],
    ["apply", "-f", "network.yaml", "--yes", "--allow-management"],
    ["login", "--print", "192.0.2.1"],
    ["logout"],
    ["sim", "init", "other"],
]
FAULTS = [
    "reload-fails@PUT network",
    "lacks=Sys.Audit@GET network",
    "drop-before@GET network",
    "lacks=VM.Audit@GET nodes",
]
ELSEWHERE = {"sim serve", "schema"}
"""Commands that other tests run: one that does not end, and the one that prints schemas."""


def test_every_command_prints_what_its_schema_says(
    lab: Path, file: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, between and after changes, with guests and without, and where something goes wrong."""
    run("sim", "init", "lab2", "--ovs", "--guest", "101:web:vmbr0:20", "--guest", "102:db:vmbr0,stopped", "--json")
    set_nature(Path("lab2"), reload_seconds=0.0)
    file.write_text("nodes: {pve1: {ens41: {type: eth, mtu: 1500}}}\n")
    monkeypatch.setenv("PVENET_SIM", "lab2")
    assert lab.exists()
    seen = set()
    for number, words in enumerate(CHANGING):
        run(*words, "--json")
        seen.add(command_of(words))
        for looking in LOOKING[number % 5 :: 5]:
            run(*[word.replace("lab", "lab2") for word in looking], "--json")
            seen.add(command_of(looking))
    for fault in FAULTS:
        for words in (["list"], ["status"], ["guests"], ["doctor"], ["apply", "--yes"], ["rollback", "--yes"]):
            run(*words, "--json", "--fault", fault)
    assert seen == OUTPUTS.keys() - ELSEWHERE


def test_every_command_has_a_schema() -> None:
    """A command that comes needs a line in OUTPUTS of pvenet/cli/schemas.py, and one that goes takes its line along."""
    there = {words.removeprefix("pvenet ") for words, _ in documents.commands()}
    assert there - OUTPUTS.keys() == {"help"}, "these print JSON and have no line in OUTPUTS of pvenet/cli/schemas.py"
    assert OUTPUTS.keys() - there == set(), "these are no commands"
    assert {words for words in STREAMS if words in there} <= OUTPUTS.keys()


@pytest.mark.parametrize("command", [*OUTPUTS, ERROR])
def test_a_schema_is_printed_as_a_schema(run: Callable[..., Ran], command: str) -> None:
    """By the command's words, as draft-07, of which every reference leads somewhere."""
    for words in (["schema", "--output", command], ["schema", "--json", f"--output={command}"]):
        schema = run(*words).data
        assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
        assert callable(fastjsonschema.compile(schema))


def test_a_reader_is_not_held_to_what_is_there_today(lab: Path, run: Callable[..., Ran]) -> None:
    """Fields are added and none is renamed: the printed schema allows others, and misses none."""
    assert lab.exists()
    data = run("tree", "--json").data
    open_, closed = validator("tree", closed=False), validator("tree")
    assert open_({**data, "new": 1})
    with pytest.raises(fastjsonschema.JsonSchemaException, match="new"):
        closed({**data, "new": 1})
    for key in data:
        with pytest.raises(fastjsonschema.JsonSchemaException, match=key):
            open_({name: value for name, value in data.items() if name != key})


def test_output_that_strays_fails_the_test_that_made_it() -> None:
    """It says which command it was, also where it has no schema at all."""
    with pytest.raises(AssertionError, match="`pvenet revert` does not print what its schema says"):
        validate("revert", {"node": "pve1", "reverted": "yes"})
    with pytest.raises(AssertionError, match="`pvenet nothing` prints JSON and has no schema: give it a line"):
        validate("nothing", {})


def test_a_command_that_there_is_not_has_no_schema(run: Callable[..., Ran]) -> None:
    """It is wrong usage, which names the nearest."""
    ran = run("schema", "--output", "lists", "--json")
    assert (ran.code, ran.data["hint"]) == (2, "did you mean list?")
    assert run("schema", "--output", " ").code == 2


def test_the_schema_of_a_network_file_is_what_it_was(run: Callable[..., Ran]) -> None:
    """Editors ask for it without a word more."""
    assert "nodes" in run("schema").data["properties"]
    assert run("schema", "--json").data == run("schema").data


def test_a_served_node_prints_what_its_schema_says() -> None:
    """Its line, which nobody waits for here."""
    texts = {"endpoint": "https://127.0.0.1:1", "token_id": "a@pve!b", "token_secret": "", "user": "a", "password": ""}
    validate("sim serve", {**texts, "fingerprint": None, "also": []})


def keys(schema: dict[str, Any], name: str) -> list[str]:
    return list(schema["definitions"][name]["properties"])


def test_events_have_the_same_schema_everywhere(run: Callable[..., Ran]) -> None:
    """`apply` adds those of many nodes; each begins with what it is, where and when."""
    rollout, single = (run("schema", "--output", words).data for words in ("apply", "rollback"))
    assert single["definitions"].items() <= rollout["definitions"].items()
    events = [name for name in rollout["definitions"] if name.startswith("Event_")]
    assert {"Event_end", "Event_summary", "Event_waiting"} <= set(events)
    assert {tuple(keys(rollout, name)[:3]) for name in events} == {("event", "node", "at")}
    assert {"exit", "hint", "kind", "interfaces", "journal", "elapsed"} <= set(keys(single, "Event_end"))
    assert json.dumps(single)
