"""Whom a change hits: the guests on the bridges, the cluster's links, the management path. Pure."""

from pvenet.impact.between import concerned
from pvenet.impact.chain import shown_path
from pvenet.impact.impact import impact
from pvenet.impact.values import (
    BridgeImpact,
    ClusterLink,
    Effect,
    Guest,
    GuestImpact,
    GuestNic,
    Impact,
    Known,
    LinkImpact,
    NotKnown,
    PathImpact,
)

__all__ = [
    "BridgeImpact",
    "ClusterLink",
    "Effect",
    "Guest",
    "GuestImpact",
    "GuestNic",
    "Impact",
    "Known",
    "LinkImpact",
    "NotKnown",
    "PathImpact",
    "concerned",
    "impact",
    "shown_path",
]
