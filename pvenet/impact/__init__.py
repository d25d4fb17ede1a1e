"""Whom a change hits: the guests on the bridges, the cluster's links, the management path. Pure."""

from pvenet.impact.between import concerned, disturbs_addresses
from pvenet.impact.chain import shown_path
from pvenet.impact.impact import impact
from pvenet.impact.ports import (
    Attachment,
    Card,
    NodeGuests,
    attachments,
    elsewhere,
    hanging,
    own_bridge,
    unplaced,
    with_links,
)
from pvenet.impact.values import (
    NO_GUESTS,
    AllowedGuests,
    BridgeImpact,
    Effect,
    Guest,
    GuestImpact,
    GuestNic,
    Impact,
    Known,
    LinkImpact,
    PathImpact,
)

__all__ = [
    "NO_GUESTS",
    "AllowedGuests",
    "Attachment",
    "BridgeImpact",
    "Card",
    "Effect",
    "Guest",
    "GuestImpact",
    "GuestNic",
    "Impact",
    "Known",
    "LinkImpact",
    "NodeGuests",
    "PathImpact",
    "attachments",
    "concerned",
    "disturbs_addresses",
    "elsewhere",
    "hanging",
    "impact",
    "own_bridge",
    "shown_path",
    "unplaced",
    "with_links",
]
