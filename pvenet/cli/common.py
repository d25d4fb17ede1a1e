"""What the commands share: the options that say where, the connection, the words of a list, the output."""

from __future__ import annotations

import inspect
import os
import re
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints
from urllib.parse import unquote

import typer

from pvenet import errors
from pvenet.profiles import environment_of, settings
from pvenet.settings import Where as Where  # noqa: PLC0414 - every command says where
from pvenet.settings import connect, located

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.connection import Connection
    from pvenet.journal import Journals
    from pvenet.node import Node
    from pvenet.render.values import Paint

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1"}
_from_root = Where()


def _declared(
    *,
    endpoint: list[str] = typer.Option(
        [], help="Where PVE's API is: https://HOST:8006. Repeat it for more members of the cluster.", metavar="URL"
    ),
    node: list[str] = typer.Option(
        [], help="The node, where there is more than one; some commands take several.", metavar="NAME[,NAME]"
    ),
    sim: Path | None = typer.Option(None, help="A simulated node, kept in this folder.", metavar="DIR"),
    fault: list[str] = typer.Option(
        [],
        help="What goes wrong at which request of the simulated node, as in 'drop-after@PUT network'; repeatable.",
        metavar="KIND[=VALUE]@WHERE",
    ),
    profile: str = typer.Option("", help="The profile of the configuration file to use.", metavar="NAME"),
    state_dir: Path | None = typer.Option(None, help="Where the journals are kept.", metavar="DIR"),
    json: bool = typer.Option(False, "--json", help="Print JSON."),
    debug: bool = typer.Option(False, "--debug", help="Show every request on stderr."),
    insecure: bool = typer.Option(False, "--insecure", help="Don't check who answers. Dangerous."),
) -> None: ...


def options(**groups: Callable[..., None]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Fill a command's parameters from groups of options that are declared once.

    A parameter of the command that is named like a group takes what was given of that group's options, as a dict; its
    parameter `where` takes the options that say where, which may also stand before the command's name.
    """
    groups = {"where": _declared, **groups}

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        names = {group: list(inspect.signature(declared).parameters) for group, declared in groups.items()}

        def run(**given: Any) -> None:
            taken = {group: {name: given.pop(name) for name in own} for group, own in names.items()}
            command(**given, **{**taken, "where": _merged(taken["where"])})

        _declare(run, command, groups)
        return run

    return wrap


def joined(*groups: Callable[..., None]) -> Callable[..., None]:
    """Several groups of options as one."""

    def all_of_them() -> None: ...

    parameters = [each for group in groups for each in inspect.signature(group).parameters.values()]
    all_of_them.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    all_of_them.__annotations__ = {name: hint for group in groups for name, hint in get_type_hints(group).items()}
    return all_of_them


def _declare(run: Callable[..., None], command: Callable[..., None], groups: dict[str, Callable[..., None]]) -> None:
    """Show Typer the command's own parameters, then those of its groups."""
    own = [parameter for name, parameter in inspect.signature(command).parameters.items() if name not in groups]
    shared = [p for group in reversed(groups.values()) for p in inspect.signature(group).parameters.values()]
    hints = {name: hint for each in (command, *groups.values()) for name, hint in get_type_hints(each).items()}
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in [*own, *shared]
    ]
    # not functools.wraps, whose __wrapped__ would let inspect look through to the command
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


def remember(where: Where) -> None:
    """Keep what was said before the command's name."""
    global _from_root  # noqa: PLW0603 - one command line, one place that it names
    _from_root = where


def _merged(words: dict[str, Any]) -> Where:
    """What is said after the command's name wins over what is said before it."""
    words["endpoint"], words["fault"] = tuple(words["endpoint"]), tuple(words["fault"])
    words["node"] = ",".join(words["node"])
    return replace(_from_root, **{name: value for name, value in words.items() if value})


# --- the node --------------------------------------------------------------------------------------------------------


@contextmanager
def at_node(where: Where) -> Iterator[tuple[Node, Where]]:
    """The node that a command is about, and the completed `where`."""
    with connected(where) as (connection, place):
        from pvenet.cluster import names
        from pvenet.node import Node

        if place.node:
            refuse_no_name(place.node)
        yield Node(connection, place.node or _only(names(connection))), place


@contextmanager
def at_nodes(where: Where) -> Iterator[tuple[list[Node], Where]]:
    """The node that is named, or all of them; where nobody answers, those that have journals here."""
    with connected(where) as (connection, place):
        from pvenet.cluster import names
        from pvenet.node import Node

        if place.node:
            refuse_no_name(place.node)
        try:
            found = (place.node,) if place.node else names(connection)
        except errors.Unreachable:
            found = _known_here(place)
            if not found:
                raise
        yield [Node(connection, name) for name in found], place


def _known_here(place: Where) -> tuple[str, ...]:
    folder = place.state_dir / "journals" if place.state_dir else None
    return tuple(sorted(unquote(each.name) for each in folder.iterdir())) if folder and folder.is_dir() else ()


@contextmanager
def connected(where: Where) -> Iterator[tuple[Connection, Where]]:
    """A connection to where the command goes, and the completed `where`."""
    environment = environment_of(settings(os.environ, where.profile), os.environ)
    place = located(where, environment)
    if place.insecure and not place.sim and not environment.get("PVENET_FINGERPRINT"):
        say("warning: nobody checks who answers; whoever does gets the credentials (--insecure)")
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    connection = connect(place, environment, prompt=_prompt if on_terminal() else None, debug=debug_of(place))
    try:
        yield connection, place
    finally:
        connection.close()


def refuse_no_name(node: str) -> None:
    """Raises UsageError for what can't be the name of a node."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", node):
        raise errors.UsageError(f"{node!r} is no name of a node", hint="a node is called as its host is: pve1")


def journals(place: Where, node: Node) -> Journals:
    """The node's journals."""
    from pvenet.journal import Journals

    if place.state_dir is None:
        raise errors.UsageError("no folder for the journals", hint="name one with --state-dir")
    return Journals(place.state_dir, node.name)


def _only(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    raise errors.UsageError(
        f"there are {len(names)} nodes: {', '.join(names)}", hint="say which with --node or PVENET_NODE"
    )


def debug_of(place: Where) -> Callable[[str], None] | None:
    """Where `--debug` tells the requests; None where it was not asked for."""
    return (lambda line: say(f"debug: {line}")) if place.debug else None


def _prompt(question: str) -> str:
    import getpass

    return getpass.getpass(question, stream=sys.stderr)


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> None:
    """Ask on the terminal. Raises NeedsConsent where there is none, and for anything but a yes."""
    if not on_terminal():
        raise errors.NeedsConsent("there is no terminal to ask on; nothing was sent", hint="consent with --yes")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise errors.NeedsConsent("not agreed; nothing was sent, and what is pending stays pending")


def utc_now() -> str:
    """Now, as a journal writes it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds")


# --- words -----------------------------------------------------------------------------------------------------------


def words(given: list[str] | None) -> tuple[str, ...] | None:
    """A list that was given with commas, blanks or repeated options; None where it was not given."""
    if not given:
        return None
    return tuple(word for text in given for word in text.replace(",", " ").split())


def addresses(values: dict[str, Any]) -> dict[str, Any]:
    """The values with their addresses read. Raises InvalidNetwork for every one that is none, at once."""
    from ipaddress import ip_address, ip_interface

    wrong, read = [], dict(values)
    for field, version in (("cidr", 4), ("gateway", 4), ("cidr6", 6), ("gateway6", 6)):
        text = values.get(field)
        if not text:
            continue
        try:
            value = ip_address(text) if field.startswith("gateway") else ip_interface(text)
        except ValueError:
            wrong.append(f"--{field}: {text!r} is no IPv{version} address{_with_prefix(field)}")
            continue
        if value.version != version:
            other = field.rstrip("6") + ("6" if version == 4 else "")  # noqa: PLR2004 - IP versions
            wrong.append(f"--{field}: {text} is an IPv{value.version} address; that goes with --{other}")
        elif field.startswith("cidr") and "/" not in text:
            wrong.append(f"--{field}: {text} lacks its prefix length, as in {text}/{24 if version == 4 else 64}")  # noqa: PLR2004
        read[field] = value
    if wrong:
        raise errors.InvalidNetwork("\n  ".join(wrong), hint="nothing was sent")
    return read


def _with_prefix(field: str) -> str:
    return " with a prefix length" if field.startswith("cidr") else ""


# --- output ----------------------------------------------------------------------------------------------------------


def counted(number: int, word: str) -> str:
    """A number of things: `1 node`, `2 nodes`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def out(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(f"{text}\n")


def say(text: str) -> None:
    """Talk, on stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def painter() -> Paint:
    """Colours for a terminal that wants them."""
    from pvenet.render.values import plain

    dull = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") in (None, "", "dumb")
    return plain if dull else (lambda text, colour: f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m")
