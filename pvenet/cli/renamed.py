"""`pvenet renamed`: the file follows NICs that have other names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.context import Context
from pvenet.cli.dry_run import DRY_RUN
from pvenet.cli.options import command, words
from pvenet.cli.staging import ADOPT, LOSSY, Chosen, stage_chosen

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.nics.renaming import Renaming


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(renamed))


def renamed(
    context: Context,
    *,
    names: list[str] | None = typer.Option(
        None,
        "--map",
        help="Names by hand, in place of those that the MACs tell; a new one may come with the next boot.",
        metavar="OLD=NEW[,OLD=NEW]",
    ),
    forget: bool = typer.Option(False, "--forget", help="The names are meant as they are; nothing is changed."),
    lossy: bool = LOSSY,
    adopt: bool = ADOPT,
    dry_run: bool = DRY_RUN,
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask; it is asked what is for the next boot."),
) -> None:
    """Let the file follow NICs that have other names.

    Stages every stanza that named one: ports, slaves, VLANs, the NIC's own. `pvenet apply` makes it live.

    $ pvenet renamed
    $ pvenet renamed --map ens37=enp5s0 --yes
    """
    given = _given(names)
    if forget:
        _forget(context, given)
        return
    node, journals = context.node, context.journals
    context.tells_renames = True
    from pvenet.apply.renamed import early_text, find_renaming
    from pvenet.cli.prompt import Prompt

    def choose(network: Network, name: str) -> Chosen:
        found = find_renaming(node, journals, network, given, lossless=not lossy)
        if found is None:
            return Chosen({}, more=_data(None), live=f"no NIC that the file of {name} names has another name now")
        if found.early and not dry_run:
            context.say(early_text(name, network, found))
            with Prompt(yes=yes, json=context.options.json) as prompt:
                prompt.confirm("Stage it for the next boot?")
        return Chosen(
            found.desired, tuple(_notes(found, given=bool(given))), more=_data(found), coming=frozenset(found.early)
        )

    stage_chosen(context, choose, lossy=lossy, adopt=adopt, dry_run=dry_run)


def _given(names: list[str] | None) -> dict[str, str]:
    """New names by the old ones. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words(names, option="--map") or ():
        old, _, new = word.partition("=")
        if not old or not new or old in found:
            raise errors.UsageError(
                f"--map {word} does not say OLD=NEW", hint="as in --map eno1=enp5s0, each name once"
            )
        found[old] = new
    return found


def _forget(context: Context, given: dict[str, str]) -> None:
    """Remember the names as they are."""
    if given:
        raise errors.UsageError("--forget changes nothing, and --map says what to change", hint="leave one out")
    from pvenet.apply.nics import look

    context.tells_renames = True
    sight = look(context.node, context.journals, context.warn)
    context.remember(sight)
    note = f"the NICs of {context.node.name} are meant by the names that they have now"
    context.emit_done({"node": context.node.name, "renames": [], "by_hand": [], "early": []}, note=note)


def _notes(found: Renaming, *, given: bool) -> list[str]:
    from pvenet.nics.renaming import told

    hand = [f"by hand, on the node: {text}" for text in found.by_hand]
    return [f"by {'--map' if given else 'MAC'}: {told(found.names)}", *hand]


def _data(found: Renaming | None) -> dict[str, object]:
    names = found.names if found else {}
    return {
        "renames": [{"old": old, "new": new} for old, new in names.items()],
        "by_hand": list(found.by_hand) if found else [],
        "early": list(found.early) if found else [],
    }
