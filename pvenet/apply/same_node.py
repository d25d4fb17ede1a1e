"""Journals of a node of the same name elsewhere: what is said of them, and how they become this node's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.journal import MEANINGS, Journal, Journals, Match, elsewhere, match

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.node import Node


def claim(node: Node, journals: Journals) -> None:
    """Make the journals of a node of this name elsewhere this one's: it is the same, with another certificate.

    Those of the endpoint that is asked go first. Raises UsageError where they are of several places; the caller holds
    the lock.
    """
    if journals.place().unmet:
        node.connection.get("version")  # its answer shows the certificate
    place = journals.place()
    others = journals.others()
    found = [journal for journal in others if journal.endpoint in place.certificates] or others
    places = sorted({journal.endpoint for journal in found})
    if len(places) > 1:
        raise errors.UsageError(
            f"journals of nodes called {node.name} at several places are kept here ({', '.join(places)}): "
            "--same-node can't "
            "mean all of them",
            hint="use the endpoint whose journals belong to this node",
        )
    for journal in (*found, *(likely for likely in journals.all() if match(likely, place) is Match.LIKELY)):
        journals.write(replace(journal, endpoint=place.endpoint, certificate=place.certificate), so="nothing was sent")


def others_note(journals: Journals) -> str:
    """That the journals of a node of the same name elsewhere are kept here, and how they become this one's."""
    told = others_told(journals)
    return f"\n{told}" if told else ""


def others_told(journals: Journals) -> str:
    """The same; empty where there are none that matter."""
    journal = _worst(journals)
    if journal is None:
        return ""
    return f"{elsewhere(journal, journals.place())}.\n{same_node_hint(journals.node, journals.path(journal))}"


def same_node_hint(node: str, path: Path) -> str:
    """What to do where it is the same node after all."""
    return (
        f"if it is the same node and its certificate was renewed: `pvenet status --node {node} --same-node`, or\n"
        f"`rollback` or `confirm` with it; the journal is\n  {path}"
    )


def _worst(journals: Journals) -> Journal | None:
    """Of the journals that are not the node's own, the youngest that is open; else, where it has none, the youngest."""
    others = journals.others()
    unended = [journal for journal in others if MEANINGS[journal.state].writes or MEANINGS[journal.state].reloaded]
    ended = [] if journals.all() else [journal for journal in others if MEANINGS[journal.state].next]
    return next(reversed(unended or ended), None)
