"""The shapes of what looking gives: links, guests, the tree, the findings of the doctor and of the rules."""

from __future__ import annotations

from types import NoneType
from typing import Literal

from pvenet.doctor.finding import Finding, State
from pvenet.impact import Attachment
from pvenet.kernel.difference import Difference, Kind
from pvenet.kernel.links import KernelLink, Port, Route
from pvenet.kernel.links import LinkState as KernelState
from pvenet.lint import Finding as LintFinding
from pvenet.render.schemas.changes import UNKNOWN
from pvenet.render.schemas.shapes import Again, Either, Many, Record, part
from pvenet.render.tree import Hanging, Part

_ADDRESS = Record(name="Address", fields={"address": str, "scope": str, "dynamic": bool})
_VLAN = Record(name="LinkVlan", fields={"id": int, "protocol": str | None, "parent": str | None})
_BOND = Record(
    name="LinkBond",
    fields={
        "mode": str | None,
        "slaves": list[str],
        "wanted": list[str] | None,
        "active_slave": str | None,
        "primary": str | None,
        "xmit_hash_policy": str | None,
        "lacp_partner": str | None,
        "aggregated": int | None,
        "in_sync": dict[str, bool] | None,
    },
)
_LINK = Record(
    name="Link",
    fields={
        **part(KernelLink, "name", "kind"),
        "state": KernelState,
        **part(KernelLink, "carrier", "speed", "mtu", "mac"),
        "member_of": str | None,
        **part(KernelLink, "port_state", "altnames"),
        "addresses": Either((Many(_ADDRESS), NoneType)),
        "vlan": _VLAN,
        "bond": _BOND,
    },
    optional=frozenset({"vlan", "bond"}),
)
_PORT = Record(
    name="Port",
    fields={"name": str, "guest": str | None, **part(Port, "primary_vlan", "vlans")},
    optional=frozenset({"primary_vlan", "vlans"}),
)
_BRIDGE = Record(name="Bridge", fields={"name": str, "vlan_filtering": bool | None, "ports": Many(_PORT)})
_DIFFERENCE = Record(
    name="Difference",
    fields={
        "interface": str,
        "kind": Kind,
        **part(Difference, "subject", "wanted", "found", "text"),
        "never_fails": bool,
    },
)
LINKS = Record(
    name="Links",
    fields={
        "node": str,
        "links": Many(_LINK),
        "bridges": Many(_BRIDGE),
        "default_routes": Many(Record(name="Route", fields=part(Route, "family", "via", "dev", "proto"))),
        "differences": Many(_DIFFERENCE),
        "compared": list[str],
        "basis": str,
        "sourced": Many(Record(name="Sourced", fields={"path": str, "interfaces": list[str]})),
        "named_twice": dict[str, list[str]],
    },
)

_CARD = Record(
    name="Card",
    fields={
        **part(
            Attachment, "vmid", "name", "index", "running", "pending", "tag", "trunks", "firewall", "link_down", "loose"
        ),
        "type": Literal["qemu", "lxc"] | None,
        "template": bool | None,
    },
)
_CROWD = Record(name="GuestsOfBridge", fields={"name": str, "guests": Many(_CARD)})
_NODE = Record(name="GuestsOfNode", fields={"node": str, "bridges": Many(_CROWD), "not_known": Many(UNKNOWN)})
GUESTS = Record(name="Guests", fields={"nodes": Many(_NODE), "errors": dict[str, str]})

_PART = Record(
    name="Part",
    fields={
        **part(Part, "name", "kind", "state", "wrong", "facts"),
        "staged": Literal["create", "update", "delete"] | None,
        "elsewhere": bool,
        "parts": Many(Again(name="Part")),
        "guests": Many(Record(name="Hanging", fields=part(Hanging))),
    },
)
_TRUNK = Record(name="Trunk", fields={"cables": Many(_PART), "loose": str, "parts": Many(_PART)})
TREE = Record(
    name="Tree",
    fields={
        "node": str,
        "trunks": Many(_TRUNK),
        "unused": Many(_PART),
        "differences": list[str],
        "not_known": Many(UNKNOWN),
    },
)

LINT = Many(
    Record(
        name="LintFinding",
        fields={
            **part(LintFinding, "rule", "node", "interface", "field", "message"),
            "file": str | None,
            "line": int | None,
            "column": int | None,
        },
    )
)

DOCTOR = Many(Record(name="Finding", fields={**part(Finding), "state": State}))
