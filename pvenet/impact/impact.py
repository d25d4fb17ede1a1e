"""What a change of a node's network does to whom. Pure: all that was found out about them is given."""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING

from pvenet.access import NotKnown
from pvenet.impact.between import between, disturbs_addresses
from pvenet.impact.chain import shown_path
from pvenet.impact.judge import NOTHING, holders, judge_address, judge_card
from pvenet.impact.ports import attachments, with_links, with_ports
from pvenet.impact.values import BridgeImpact, GuestImpact, Impact, LinkImpact, PathImpact
from pvenet.model import natural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pvenet.impact.between import Between
    from pvenet.impact.ports import Attachment
    from pvenet.impact.values import Known
    from pvenet.kernel.links import KernelLink
    from pvenet.model import Network
    from pvenet.plan import ManagementPath


def impact(
    before: Network,
    wanted: Network,
    known: Known,
    *,
    path: ManagementPath | None = None,
    remade: Collection[str] = (),
) -> Impact:
    """Whom the way from one network to another hits.

    `path`: given where the change touches it. `remade`: interfaces that are equal in both networks and away in between.
    """
    every = attachments(known.guests, known.ports, known.links, before.interfaces)
    cards = [card for card in every if not card.loose]  # who is on no bridge has none to lose
    wanted = with_links(wanted, known.links, before.interfaces)
    before = with_ports(with_links(before, known.links), wanted)
    change = between(before, wanted, remade)
    return Impact(
        bridges=tuple(_bridges(cards, change)),
        links=tuple(_links(known, change, disturbed=disturbs_addresses(before, wanted, change.touched))),
        path=_path(path, before),
        unknown=(*known.unknown, *_unseen(cards, {**wanted.interfaces, **before.interfaces}, change.touched)),
    )


def _bridges(cards: Iterable[Attachment], change: Between) -> Iterator[BridgeImpact]:
    """Each bridge with all who hang on it."""
    by_bridge = sorted(cards, key=lambda card: natural(card.bridge))
    for name, on_it in groupby(by_bridge, key=lambda card: card.bridge):
        yield BridgeImpact(name=name, guests=tuple(_card(card, change) for card in on_it))


def _card(card: Attachment, change: Between) -> GuestImpact:
    effect, why = judge_card(card, change) if card.bridge in change.touched else NOTHING
    return GuestImpact(
        vmid=card.vmid,
        index=card.index,
        name=card.name,
        running=card.running,
        pending=card.pending,
        tag=card.tag,
        trunks=() if card.lets_all_through else card.trunks,
        effect=effect,
        why=why,
    )


def _unseen(cards: Iterable[Attachment], interfaces: Collection[str], touched: Collection[str]) -> Iterator[NotKnown]:
    """The bridges that stand in no file: without the kernel's links nobody can tell what they stand on."""
    if touched:
        for name in sorted({card.bridge for card in cards} - set(interfaces), key=natural):
            yield NotKnown(what=f"what {name} is on top of", why="no file of the node has it, as with SDN's vnets")


def _links(known: Known, change: Between, *, disturbed: bool) -> Iterator[LinkImpact]:
    for link in sorted(known.cluster, key=lambda link: link.number):
        carrier = _carrier(link.ip, change, known.links) if link.ip else None
        effect, why = judge_address(link.ip, carrier, change) if link.ip and carrier else NOTHING
        perhaps = disturbed and carrier is None
        yield LinkImpact(link=link, carrier=carrier, perhaps=perhaps, effect=effect, why=why)


def _carrier(ip: str, change: Between, links: Mapping[str, KernelLink]) -> str | None:
    """The interface that has an address, by the file or by the kernel."""
    by_kernel = (link.name for link in links.values() if ip in {str(each.address.ip) for each in link.addresses or ()})
    return next(chain(holders(ip, change.had), by_kernel), None)


def _path(path: ManagementPath | None, before: Network) -> PathImpact | None:
    if path is None or not path.holders:
        return None
    return PathImpact(carrier=path.holders[0], chain=shown_path(path, before))
