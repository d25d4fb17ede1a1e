"""How every noun stages: `create`, `set` and `delete` from one declaration of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from pvenet.cli.common import Where, addresses, at_node, joined, journals, options, out, painter, say, utc_now, words
from pvenet.model import Ethernet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet import edit
    from pvenet.model import Interface, Network

LISTS = ("slaves", "ports", "vids")
"""Fields whose options take several words."""


def addressing(
    *,
    cidr: str | None = typer.Option(None, help="IPv4 address with its prefix length.", metavar="ADDRESS/LENGTH"),
    gateway: str | None = typer.Option(None, help="IPv4 default gateway.", metavar="ADDRESS"),
    cidr6: str | None = typer.Option(None, help="IPv6 address with its prefix length.", metavar="ADDRESS/LENGTH"),
    gateway6: str | None = typer.Option(None, help="IPv6 default gateway.", metavar="ADDRESS"),
) -> None: ...


def common(
    *,
    mtu: int | None = typer.Option(None, help="1280 to 65520.", metavar="BYTES"),
    comments: str | None = typer.Option(None, help="A remark; it may have several lines.", metavar="TEXT"),
) -> None: ...


def starting(
    *,
    autostart: bool | None = typer.Option(
        None, "--autostart/--no-autostart", help="Whether it comes up at boot and reload; a new one does unless told."
    ),
) -> None: ...


_ADOPT = typer.Option(False, "--adopt", help="Stage on top of pending changes that are not ours.")
_CLEAR = typer.Option(None, "--clear", help="Fields to remove, as in --clear mtu,gateway.", metavar="FIELD[,FIELD]")
_LOSSY = typer.Option(False, "--lossy", help="Go on where the API would lose something.")


SHARED = (addressing, common, starting)
"""The options of kinds that have addresses and start by themselves."""


def noun(
    kind: edit.Kind,
    *,
    word: str,
    fields: Callable[..., None],
    naming: str,
    name: str = "",
    shared: tuple[Callable[..., None], ...] = SHARED,
) -> typer.Typer:
    """The Typer application of a kind: `set`, and, unless it is a NIC, `create` and `delete`."""
    own_options = joined(fields, *shared)
    a_word = f"{'an' if word.startswith('OVS') else 'a'} {word}"
    app = typer.Typer(
        name=name or kind.type, help=f"Stage changes of {word}s.", no_args_is_help=True, rich_markup_mode=None
    )
    existing = typer.Argument(..., help=f"The {word}.", metavar="NAME", show_default=False)

    def set_(
        where: Where,
        own: dict[str, Any],
        name: str = existing,
        clear: list[str] | None = _CLEAR,
        lossy: bool = _LOSSY,
        adopt: bool = _ADOPT,
    ) -> None:
        from pvenet import edit

        values = _values(own)
        _stage(
            where,
            lambda network, node: {name: edit.change(network, node, kind, name, values, words(clear) or ())},
            lossy=lossy,
            adopt=adopt,
        )

    def create(
        where: Where,
        own: dict[str, Any],
        name: str = typer.Argument("", help=naming, metavar="[NAME]", show_default=False),
        adopt: bool = _ADOPT,
    ) -> None:
        from pvenet import edit

        values = _values(own)

        def choose(network: Network, node: str) -> dict[str, Interface | None]:
            made = edit.create(network, node, kind, name or None, values)
            return {made.name: made}

        _stage(where, choose, lossy=False, adopt=adopt)

    def delete(where: Where, name: str = existing, adopt: bool = _ADOPT) -> None:
        from pvenet import edit

        _stage(
            where,
            lambda network, node: {edit.find(network, node, name, kind).name: None},
            lossy=False,
            adopt=adopt,
        )

    if kind is not Ethernet:
        app.command("create", help=f"Stage a new {word}.")(options(own=own_options)(create))
        app.command("delete", help=f"Stage the removal of {a_word}.")(options()(delete))
    app.command("set", help=f"Stage a change of {a_word}: what is named changes, everything else stays.")(
        options(own=own_options)(set_)
    )
    app.callback()(lambda: None)  # keeps `set` a command where it is the only one
    return app


def _values(given: dict[str, Any]) -> dict[str, Any]:
    return addresses(given) | {name: words(given[name]) for name in LISTS if name in given}


def _stage(
    where: Where, choose: Callable[[Network, str], dict[str, Interface | None]], *, lossy: bool, adopt: bool
) -> None:
    with at_node(where) as (node, place):
        from pvenet.apply import StageOptions, Staging
        from pvenet.render.changes import change_data, changes_text, problem_data
        from pvenet.render.values import as_json

        consent = StageOptions(lossy=lossy, adopt=adopt)
        with Staging(node, journals(place, node), now=utc_now()) as staging:
            done = staging.stage(choose(staging.network, node.name), consent)
        for problem in done.warnings:
            say(f"warning: {problem}")
        for loss in done.losses:
            say(f"warning: lost: {loss}")
        for note in done.notes:
            say(f"warning: {note}")
        if place.json:
            steps = [change_data(step) for step in done.plan.steps]
            warnings = [problem_data(problem) for problem in done.warnings]
            out(as_json({"node": node.name, "steps": steps, "warnings": warnings}))
        elif not done.plan:
            say(f"nothing to do: it is so already on {node.name}")
        else:
            out(changes_text(done.plan.steps, painter()))
            say(f"staged on {node.name}, not live yet: `pvenet diff` shows it, `pvenet apply` makes it live")
