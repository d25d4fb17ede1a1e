"""How every noun stages: `create`, `set` and `delete`."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from pvenet import errors
from pvenet.cli import dry_run as dry
from pvenet.cli.context import Context
from pvenet.cli.dry_run import DRY_RUN
from pvenet.cli.help import Application
from pvenet.cli.nic_words import named_nics
from pvenet.cli.nouns import LISTS, NOUNS
from pvenet.cli.options import command, empty, words
from pvenet.cli.output import painter, talk_room
from pvenet.model import Ethernet
from pvenet.model.addresses import SPELLINGS, parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.apply.stage import Staged
    from pvenet.changes import Desired
    from pvenet.cli.nouns import Noun
    from pvenet.edit import Differences
    from pvenet.model import Network

ADOPT = typer.Option(False, "--adopt", help="Stage on top of pending changes that are not ours.")
LOSSY = typer.Option(False, "--lossy", help="Go on even if the API would lose something.")


class Chosen(NamedTuple):
    """What a command makes of the network as it is."""

    desired: Desired
    notes: tuple[str, ...] = ()
    """What of it is so already, and what is worth saying of it, a line each."""
    more: Mapping[str, object] = MappingProxyType({})
    """What the command has to say besides, as JSON data."""
    coming: frozenset[str] = frozenset()
    """NICs that will be there with the next boot."""
    live: str = ""
    """What to say where there is nothing to do; by default that the node has it."""


def register(app: typer.Typer) -> None:
    """Add a group of commands for every noun."""
    for noun in NOUNS:
        app.add_typer(_group(noun))


def _group(noun: Noun) -> typer.Typer:
    """`set`, and, unless it is a NIC, `create` and `delete`."""
    verbs = "Create, change or delete" if noun.naming else "Change"
    group = Application(name=noun.command, text=f"{verbs} {noun.a_word}.")
    if noun.naming:
        text = _help(noun, "create", f"Stage a new {noun.word}.")
        group.command("create", help=text)(command(_create(noun), own=noun.options))
        text = _help(noun, "delete", f"Stage the removal of {noun.a_word}.")
        group.command("delete", help=text)(command(_delete(noun)))
    text = _help(noun, "set", f"Stage a change of {noun.a_word}.\n\nWhat is named changes, everything else stays.")
    group.command("set", help=text)(command(_set(noun), own=noun.options, differences=noun.differences))
    group.callback()(lambda: None)  # keeps `set` a command where it is the only one
    return group


def _help(noun: Noun, verb: str, text: str) -> str:
    return f"{text}\n\n$ pvenet {noun.command} {verb} {noun.examples[verb]}"


def _existing(noun: Noun) -> Any:
    return typer.Argument(
        ..., help=f"The {noun.word}.", metavar="NAME", show_default=False, autocompletion=noun.complete
    )


def _clear(noun: Noun) -> Any:
    return typer.Option(
        None,
        "--clear",
        help="Fields to remove, as in --clear mtu,gateway.",
        metavar="FIELD[,FIELD]",
        autocompletion=noun.clear,
    )


def _set(noun: Noun) -> Callable[..., None]:
    def set_(
        context: Context,
        own: dict[str, Any],
        differences: dict[str, Any],
        name: str = _existing(noun),
        clear: list[str] | None = _clear(noun),
        lossy: bool = LOSSY,
        adopt: bool = ADOPT,
        dry_run: bool = DRY_RUN,
    ) -> None:
        from pvenet import edit

        values, cleared = _values(own, clearable=True), words(clear, option="--clear") or ()
        lists = _differences(noun, differences)

        def choose(network: Network, node: str) -> Chosen:
            nics = named_nics(context.node, network, values, lists, name)
            after = edit.change(network, node, noun.kind, nics.name, nics.values, cleared, nics.lists)
            if not cleared and not any(lists.values()) and all(value is None for value in values.values()):
                raise errors.UsageError(
                    f"nothing to set on {name}", hint=f"`pvenet {noun.command} set --help` shows what can be set"
                )
            before = network.interfaces[nics.name]
            needless = edit.needless(before, nics.lists, nics.values, node)
            return Chosen({nics.name: after}, (*nics.notes, *needless, *edit.remarks(before, after)))

        named = "" if noun.kind is Ethernet else name  # a NIC may be meant by its MAC
        stage_chosen(context, choose, named=named, lossy=lossy, adopt=adopt, dry_run=dry_run)

    return set_


def _create(noun: Noun) -> Callable[..., None]:
    def create(
        context: Context,
        own: dict[str, Any],
        name: str | None = typer.Argument(None, help=noun.naming, metavar="[NAME]", show_default=False),
        adopt: bool = ADOPT,
        dry_run: bool = DRY_RUN,
    ) -> None:
        from pvenet import edit

        if name is not None and not name.strip():
            raise empty("the name")
        values = _values(own)

        def choose(network: Network, node: str) -> Chosen:
            nics = named_nics(context.node, network, values, {})
            made = edit.create(network, node, noun.kind, name, nics.values)
            return Chosen({made.name: made}, (*nics.notes, *edit.remarks(None, made)))

        stage_chosen(context, choose, adopt=adopt, dry_run=dry_run)

    return create


def _delete(noun: Noun) -> Callable[..., None]:
    def delete(context: Context, name: str = _existing(noun), adopt: bool = ADOPT, dry_run: bool = DRY_RUN) -> None:
        from pvenet import edit
        from pvenet.apply.own_path import own_names

        def never(network: Network) -> frozenset[str]:
            return own_names(context.node, network)

        def choose(network: Network, node: str) -> Chosen:
            return Chosen({edit.find(network, node, name, noun.kind, lambda: never(network)).name: None})

        stage_chosen(context, choose, named=name, adopt=adopt, dry_run=dry_run)

    return delete


def _values(given: dict[str, Any], *, clearable: bool = False) -> dict[str, Any]:
    """What was given, by the model's fields.

    Raises UsageError for what is empty, and InvalidNetwork for every address that is none, at once.
    """
    _refuse_empty(given, clearable=clearable)
    values, wrong = dict(given), []
    for field in (name for name in SPELLINGS if given.get(name)):
        try:
            values[field] = parse_address(field, given[field], called="--{}")
        except ValueError as error:
            wrong.append(f"--{field}: {error}")
    if wrong:
        raise errors.InvalidNetwork("\n  ".join(wrong), hint="nothing was sent")
    return values | {name: words(given[name], option=f"--{name}") for name in LISTS if name in given}


def _differences(noun: Noun, given: dict[str, Any]) -> Differences:
    """What comes to each list and leaves it. Raises UsageError for an option without a word."""
    from pvenet.edit import Difference

    return {
        name: Difference(
            add=words(given[f"add_{name}"], option=f"--add-{field.one}") or (),
            remove=words(given[f"remove_{name}"], option=f"--remove-{field.one}") or (),
        )
        for name, field in noun.fields.items()
        if field.one
    }


def _refuse_empty(given: dict[str, Any], *, clearable: bool) -> None:
    """Raises UsageError for an option that says nothing, be it a text or a list."""
    from pvenet.edit import NOT_CLEARABLE

    for name, value in given.items():
        said = value if isinstance(value, list) else [value]
        if said and all(isinstance(text, str) and not text.replace(",", " ").strip() for text in said):
            word = name.replace("_", "-")
            removes = clearable and name not in NOT_CLEARABLE
            raise empty(f"--{word}", f"`--clear {word}` removes it" if removes else "leave it out, or give it a value")


def stage_chosen(
    context: Context,
    choose: Callable[[Network, str], Chosen],
    *,
    named: str = "",
    lossy: bool = False,
    adopt: bool = False,
    dry_run: bool = False,
) -> None:
    """Stage what a command makes of the network as it is, and say what was staged.

    `named`: the interface that has to be there.
    """
    if dry_run:
        context.hold()
    node, journals = context.node, context.journals
    from pvenet.apply.stage import StageOptions, Staging

    with Staging(node, journals) as staging:
        if named and named not in staging.network.interfaces:
            node.refuse_hidden(named)
        chosen = choose(staging.network, node.name)
        options = StageOptions(lossy=lossy, adopt=adopt, coming=chosen.coming)
        staged = staging.stage(chosen.desired, options, whom=True, dry_run=dry_run)
    _tell(context, staged, chosen, dry_run=dry_run)


def _nothing_to_do(node: str, staged: Staged, chosen: Chosen) -> str:
    if staged.live:
        return f"nothing to do: {chosen.live or f'{node} has that already'}"
    return (
        f"nothing to do: that is staged on {node} already, but not live yet: `pvenet diff` shows what is pending, "
        "`pvenet apply` makes it live"
    )


def _tell(context: Context, staged: Staged, chosen: Chosen, *, dry_run: bool) -> None:
    from pvenet.render.changes import changes_text, staged_data
    from pvenet.render.impact import impact_data, impact_lines, path_line

    warnings = [*staged.warnings, *(f"lost: {loss}" for loss in staged.losses), *staged.notes]
    for warning in warnings:
        context.warn(f"{warning}")
    for note in chosen.notes:
        context.say(note)
    name = context.node.name
    data = staged_data(name, staged.plan.steps, staged.warnings, pending=staged.pending is not None)
    data |= {
        "impact": impact_data(staged.impact),
        "notes": list(chosen.notes),
        "management": staged.path and asdict(staged.path),
        **chosen.more,
    }
    if dry_run:
        data, sent = _unsent(name, data, staged)
    if not staged.plan:
        context.emit_done(data, note=_nothing_to_do(name, staged, chosen))
        return
    if staged.impact.notable:
        context.say("\n".join(impact_lines(staged.impact, talk_room())))
    if cut := staged.impact.guests_cut:
        context.say(f"`pvenet apply` needs --allow-guests {','.join(map(str, cut))}")
    if staged.path:
        shown = staged.impact.notable and staged.impact.path is not None
        context.say(path_line(**asdict(staged.path), node=name, shown=shown))
    changes = changes_text(staged.plan.steps, painter())
    if dry_run:
        context.emit(data, f"{changes}\n\n{sent}", note=dry.NOTHING_SENT)
        return
    note = f"staged on {name}, not live yet: `pvenet diff` shows it, `pvenet apply` makes it live"
    context.emit_done(data, changes, note=note)


def _unsent(node: str, data: dict[str, Any], staged: Staged) -> tuple[dict[str, Any], str]:
    """The data of what is not staged, and what would be sent, as text."""
    from pvenet.apply.dry_run import of_plan

    more, text = dry.requests(of_plan(node, staged.plan))
    return data | more, text
