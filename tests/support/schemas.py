"""Whatever a test has a command print with --json, held to the schema that users get, and nothing besides."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import fastjsonschema

from pvenet import cli
from pvenet.cli.answer import LAST, STREAMS, foreseen
from pvenet.cli.options import VALUED
from pvenet.cli.schemas import ERROR, OUTPUTS, output_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@cache
def validator(command: str, event: str = "", *, closed: bool = True) -> Callable[[Any], Any]:
    """Raises JsonSchemaException for what the schema of a command's output does not allow.

    `event`: of a stream, whose schema would say no more than that none of the events is so.
    """
    schema = output_schema(command, closed=closed)
    if event:
        schema = {"$ref": f"#/definitions/Event_{event}", "definitions": schema["definitions"]}
    compiled: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return compiled


def hold(words: Sequence[str], out: str) -> None:
    """Fail where this is not what the schema of the command says."""
    if "--json" not in words or {"-h", "--help", "--version"} & set(words) or not out:
        return
    if foreseen(words, VALUED).form != "json":
        return
    command = command_of(words)
    if "--watch" in words:
        for line in out.splitlines():
            validate(command, json.loads(line))
    elif command.split(" ")[0] in STREAMS:
        events = [json.loads(line) for line in out.splitlines()]
        for event in events:
            validate(command, event)
        assert events[-1]["event"] in LAST, f"the last line of `pvenet {command}` is no end: {events[-1]}"
    else:
        data = json.loads(out)
        failed = isinstance(data, dict) and {"error", "kind", "exit"} <= data.keys()
        validate(ERROR if failed else command, data)


def validate(command: str, data: object) -> None:
    """Fail for data that the schema does not allow, with a line that says what to mend."""
    assert command == ERROR or command in OUTPUTS, (
        f"`pvenet {command}` prints JSON and has no schema: give it a line in OUTPUTS of pvenet/cli/schemas.py"
    )
    try:
        validator(command, data.get("event", "") if isinstance(data, dict) else "")(data)
    except fastjsonschema.JsonSchemaException as wrong:
        raise AssertionError(f"`pvenet {command}` does not print what its schema says: {wrong}: {data}") from None


def command_of(words: Sequence[str]) -> str:
    """The words of the command in a command line; empty where there is none."""
    at: Any = cli.application()
    found: list[str] = []
    skips = False
    for word in words:
        if not skips and hasattr(at, "commands") and word in at.commands:
            at = at.commands[word]
            found.append(word)
        skips = not skips and word in VALUED
    return " ".join(found) if not hasattr(at, "commands") else ""
