"""`pvenet history`: what was done from here, as the journals tell it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.completion import journals, one
from pvenet.cli.context import Context
from pvenet.cli.options import command, empty
from pvenet.cli.output import painter, room

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.journal import Journals, Past


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(history))


def history(
    context: Context,
    show: str | None = typer.Argument(
        None, metavar="[show]", help="One journal in full, or a rollout; without it, the table."
    ),
    journal: str | None = typer.Argument(
        None,
        metavar="[JOURNAL]",
        help="Its number, or its name; or the ID of a rollout, as in r1.",
        autocompletion=one(journals),
    ),
) -> None:
    """List what was done from here: when, what, how it ended.

    It reads the journals that are kept here, and asks no node. A journal's number is what `pvenet rollback` takes, and
    the ID of a rollout what its --rollout does.

    $ pvenet history
    $ pvenet history show 1
    $ pvenet history show r1
    """
    context.placed = False
    wanted = _wanted(show, journal)
    if wanted is not None and re.fullmatch(r"r\d+", wanted.strip(), re.ASCII):
        _show_rollout(context, wanted.strip())
        return
    found, unreadable = _read(_journals(context))
    if wanted is not None:
        _refuse(unreadable)
        _show(context, found, wanted)
        return
    from pvenet.render.history import history_text, row_data

    for kept, _ in found:
        if (path := kept.unread(None)) is not None:
            context.warn(f"a journal of {kept.node} can't be read, and is not listed:\n{path}")
    now, paint = datetime.now(UTC), painter()
    some = [(journals.node, past) for journals, past in found if past]
    texts = [history_text(past, room(), paint, now=now) for _, past in some]
    if len(found) > 1:
        texts = [f"{paint(f'{node}:', 'bold')}\n{text}" for (node, _), text in zip(some, texts, strict=True)]
    none = [journals.node for journals, past in found if not past]
    whose = f" of {', '.join(none)}" if none else ""
    note = f"no journal{whose} is kept in {context.settings.state_dir}"
    data = [row_data(past) for _, each in some for past in each]
    context.emit(data, "\n\n".join(texts), note=note if none or not (found or unreadable) else "")
    _refuse(unreadable)


def _wanted(show: str | None, journal: str | None) -> str | None:
    """The journal that is to be shown; None for the table. Raises UsageError."""
    for word in (show, journal):
        if word is not None and not word.strip():
            raise empty("the name of the journal", "omit it for the table")
    if show is None or show != "show":
        if journal is not None:
            raise errors.UsageError(f"history has no command `{show}`", hint="as in `pvenet history show 3`")
        return show
    if journal is None:
        raise errors.UsageError("which journal should be shown?", hint="as in `pvenet history show 3`")
    return journal


def _journals(context: Context) -> list[Journals]:
    """Those of the nodes that are named, or of all that have some."""
    from pvenet.journal import Journals, nodes

    folder = context.settings.state_dir
    return [Journals(folder, name) for name in (context.named or nodes(folder))]


def _read(
    every: Sequence[Journals],
) -> tuple[list[tuple[Journals, tuple[Past, ...]]], dict[str, errors.PvenetError]]:
    """What the journals of each node tell, and why those of others can't be read."""
    from pvenet.journal import history as read

    found = []
    unreadable: dict[str, errors.PvenetError] = {}
    for each in every:
        try:
            found.append((each, read(each)))
        except errors.JournalUnreadable as error:
            unreadable[each.node] = error
    return found, unreadable


def _refuse(unreadable: Mapping[str, errors.PvenetError]) -> None:
    if unreadable:
        from pvenet.fleet.nodes import refuse

        refuse(unreadable)


def _show(context: Context, found: Sequence[tuple[Journals, Sequence[Past]]], name: str) -> None:
    from pvenet.journal import named
    from pvenet.render.history import past_data, past_text

    past = named(found, name)
    context.emit(past_data(past), past_text(past, room(), painter(), now=datetime.now(UTC)))


def _show_rollout(context: Context, name: str) -> None:
    from pvenet.fleet.book import Rollouts, by_now
    from pvenet.render.history import rollout_text

    state_dir = context.settings.state_dir
    rollout = by_now(state_dir, Rollouts(state_dir).named(name))
    data = {
        "rollout": rollout.id,
        "file": rollout.file,
        "begun": rollout.begun,
        "ended": rollout.ended or None,
        "canary": rollout.canary or None,
        "nodes": [
            {"node": each.node, "stands": each.stands, "message": each.message, "journal": each.journal or None}
            for each in rollout.members
        ],
    }
    context.emit(data, rollout_text(data, room(), painter(), now=datetime.now(UTC)))
