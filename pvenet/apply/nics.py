"""The NICs of a node beside what they were called when it was read before: one look."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.journal import Ours, ownership
from pvenet.nics.cards import cards
from pvenet.nics.gone import gone
from pvenet.nics.renaming import candidates
from pvenet.nics.sight import Sight
from pvenet.nics.words import Meant, is_other, meant
from pvenet.observe import report
from pvenet.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pvenet.journal import Journals
    from pvenet.kernel.links import Report
    from pvenet.model import Network
    from pvenet.node import Node, Reading


def look(node: Node, journals: Journals, note: Callable[[str], None]) -> Sight:
    """The NICs by list and report; `note` hears what could not be had, and why.

    Raises Busy while a reload runs (pve-api#never-list), and what a listing raises.
    """
    from pvenet.apply.listing import listed, reload_runs  # a plan asks what words mean, and lists nothing

    if reload_runs(node, journals):
        raise errors.Busy(
            f"a reload runs on {node.name}, and nothing is listed meanwhile",
            hint=f"`pvenet status --node {node.name} --watch` says when it has ended",
        )
    reading, warnings = listed(node, journals)
    for warning in warnings:
        note(warning)
    found: Report | None = None
    try:
        found = report(node)
    except (errors.Unreachable, errors.UsageError):
        raise
    except errors.PvenetError as why:
        note(f"speed and carrier are not known: {why.message}\n{why.hint}".rstrip())
    return sight_of(node, journals, reading.network, found)


def sight_of(node: Node, journals: Journals, network: Network, found: Report | None = None) -> Sight:
    """The NICs of a listing beside what is remembered; nothing is asked."""
    seen = Seen(journals.state_dir, node.connection)
    if found:
        seen.note(node.name, found)
    return seen.sight(node.name, network)


def sharp_sight(node: Node, journals: Journals, network: Network) -> Sight:
    """The same, with the report where a NIC is gone and only that may tell what it is called now."""
    sight = sight_of(node, journals, network)
    if not sight.is_blurred:
        return sight
    with suppress(errors.PvenetError):
        return sight_of(node, journals, network, report(node))
    return sight


def meant_by(node: Node, network: Network, words: Iterable[str], *, sharp: bool = False) -> Meant:
    """What words mean on a node; its report is asked for where only that may tell.

    `sharp`: also where a MAC is not known that no word asks for.
    """
    other = [word for word in words if is_other(word, network)]
    found = meant(other, network, cards(network))
    if not (found.wrong or sharp) or all(card.mac for card in found.cards):
        return found
    with suppress(errors.PvenetError):
        return meant(other, network, cards(network, report(node)))
    return found


def refuse_unmeant(node: Node, network: Network, found: Meant) -> None:
    """Raises InvalidNetwork for words that mean no NIC, or more than one, with those that there are."""
    if found.wrong:
        sight = Sight(network=network, cards=found.cards)
        lines = "\n  ".join(found.wrong.values())
        raise errors.InvalidNetwork(f"on {node.name} {lines}", hint=f"nothing was sent; {candidates(sight)}")


def early_names(journals: Journals, reading: Reading, sight: Sight) -> tuple[str, ...]:
    """The names that what is staged from here says and that no NIC has yet: it is for the next boot."""
    match ownership(journals, reading):
        case Ours(journal=journal) if journal.back is None:  # what leads back is for no boot
            lost = {each.name for each in gone(journal.network, sight.cards, {}, ())}
            return tuple(each.name for each in sight.gone if not each.there and not each.now and each.name not in lost)
        case _:
            return ()
