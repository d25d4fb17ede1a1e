"""The scenes. Addresses are of 10.90.0.0/16 and fd00:90::/32, and names end in 90, so that they are in nobody's way.

No two NICs are ever ports of one bridge, or of two: on a node that somebody has cabled, that may be a loop.
"""

from __future__ import annotations

from recording.scene import (
    NETWORK,
    TASK,
    Scene,
    Step,
    create,
    ended,
    listing,
    one,
    reload,
    remove,
    revert,
    tried,
    update,
)

BOND = {"iface": "bond90", "type": "bond", "slaves": "{a} {b}"}
BRIDGE = {"iface": "vmbr90", "type": "bridge"}
MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")


def _ask(name: str, path: str, authorization: str | None = None) -> Step:
    return Step(name=name, method="GET", path=path, authorization=authorization)


NODE = Scene(
    name="node",
    about="what a node says about itself, and to strangers; nothing is written",
    nics=1,
    steps=(
        _ask("version", "/version"),
        _ask("nodes", "/nodes"),
        _ask("cluster-status", "/cluster/status"),
        _ask("permissions-node", "/access/permissions?path=/nodes/{node}"),
        _ask("permissions-bridges", "/access/permissions?path=/sdn/zones/localnetwork"),
        listing(),
        *(_ask(f"list-{kind}", f"{NETWORK}?type={kind}") for kind in ("bridge", "bond", "eth", "vlan", "any_bridge")),
        _ask("list-bogus", f"{NETWORK}?type=bogus"),
        one("get-nic", "{a}"),
        one("get-lo", "lo"),
        one("get-missing", "nope0"),
        one("get-bad-name", "x"),
        _ask("unknown-path", "/nodes/{node}/netwerk"),
        _ask("task-garbage", "/nodes/{node}/tasks/foo/status"),
        _ask("no-token", NETWORK, ""),
        _ask("token-without-secret", NETWORK, "PVEAPIToken=root@pam!full"),
        _ask("token-of-nobody", NETWORK, "PVEAPIToken=who@pam!nope=11111111-1111-1111-1111-111111111111"),
    ),
)

WALKTHROUGH = Scene(
    name="walkthrough",
    about="a bond, a bridge on it, applied and taken away again",
    nics=2,
    steps=(
        create("create-bond", {**BOND, "bond_mode": "balance-rr", "autostart": 1}),
        create("create-bridge", {**BRIDGE, "bridge_ports": "bond90", "autostart": 1, "comments": "For tagged traffic"}),
        listing("list-pending"),
        *reload(),
        one("get-bond", "bond90"),
        one("get-bridge", "vmbr90"),
        one("get-slave", "{a}"),
        remove("delete-bond-in-use", "bond90"),
        remove("delete-bridge", "vmbr90"),
        remove("delete-bond", "bond90"),
        listing("list-pending-deletion"),
        *reload(),
    ),
)

CREATE = Scene(
    name="create",
    about="what PVE makes of new interfaces; nothing is applied",
    nics=2,
    steps=(
        *tried("bond-empty", {"iface": "bond90", "type": "bond"}),
        *tried("bond-one-slave", {"iface": "bond90", "type": "bond", "slaves": "{a}"}),
        *tried("bond-reverse", {**BOND, "slaves": "{b} {a}"}),
        *tried("bond-twice", {**BOND, "slaves": "{a} {a}"}),
        *(step for mode in MODES for step in tried(f"bond-{mode}", {**BOND, "bond_mode": mode, "autostart": 1})),
        *tried("bond-primary", {**BOND, "bond_mode": "active-backup", "bond-primary": "{b}"}),
        *tried("bond-primary-lost", {**BOND, "bond_mode": "balance-rr", "bond-primary": "{a}"}),
        *tried("bond-hash", {**BOND, "bond_mode": "802.3ad", "bond_xmit_hash_policy": "layer2+3", "mtu": 9000}),
        *tried("bond-hash-lost", {**BOND, "bond_mode": "balance-rr", "bond_xmit_hash_policy": "layer2"}),
        *tried("bond-address", {**BOND, "cidr": "10.90.0.2/24"}),
        *tried("bridge-empty", {**BRIDGE}),
        *tried("bridge-port", {**BRIDGE, "bridge_ports": "{a}", "autostart": 1}),
        *tried("bridge-addresses", {**BRIDGE, "cidr": "10.90.1.1/24", "cidr6": "fd00:90::1/64", "comments6": "six"}),
        *tried("bridge-vlan-aware", {**BRIDGE, "bridge_ports": "{a}", "bridge_vlan_aware": 1}),
        *tried("bridge-vids", {**BRIDGE, "bridge_vlan_aware": 1, "bridge_vids": "2,4 100-200"}),
        *tried("bridge-aware-0", {**BRIDGE, "bridge_vlan_aware": 0}, "0 switches it on"),
        *tried("bridge-mtu", {**BRIDGE, "mtu": 1400, "comments": "Verwaltung \N{LATIN SMALL LETTER A WITH DIAERESIS}"}),
        *tried("bridge-comment-lines", {**BRIDGE, "comments": "one\ntwo\n\nthree  "}),
        *tried("vlan-dot", {"iface": "{a}.90", "type": "vlan", "autostart": 1, "cidr": "10.90.2.1/24"}),
        *tried("vlan-named", {"iface": "vlan90", "type": "vlan", "vlan-raw-device": "{a}"}),
        *tried("vlan-free-name", {"iface": "store90", "type": "vlan", "vlan-raw-device": "{a}", "vlan-id": 90}),
        *tried("nic-that-is-not", {"iface": "eth90", "type": "eth"}),
    ),
)

REFUSALS = Scene(
    name="refusals",
    about="what PVE refuses, and in which words; nothing is staged",
    nics=2,
    steps=(
        create("no-type", {"iface": "bond90"}),
        create("taken-name", {"iface": "{a}", "type": "eth"}),
        create("two-errors", {"iface": "b", "type": "zz", "mtu": 10, "autostart": "maybe"}),
        create("unknown-field", {**BOND, "bond_miimon": 50}),
        create("bad-mode", {**BOND, "bond_mode": "roundrobin"}),
        create("comma", {**BOND, "slaves": "{a},{b}"}),
        create("leading-blank", {**BOND, "slaves": " {a}"}),
        create("unknown-slave", {**BOND, "slaves": "{a} nope90"}),
        create("primary-no-slave", {**BOND, "slaves": "{a}", "bond_mode": "active-backup", "bond-primary": "{b}"}),
        create("unknown-port", {**BRIDGE, "bridge_ports": "nope90"}),
        create("bad-vids", {**BRIDGE, "bridge_vlan_aware": 1, "bridge_vids": "2 5000"}),
        create("bridge-fd", {**BRIDGE, "bridge_fd": 0}),
        create("cidr-alone", {**BRIDGE, "cidr": "10.90.0.1"}),
        create("cidr-too-wide", {**BRIDGE, "cidr": "10.90.0.1/7"}),
        create("cidr6-multicast", {**BRIDGE, "cidr6": "ff02::1/64"}),
        create("mtu-too-big", {**BRIDGE, "mtu": 65521}),
        create("boolean-word", {**BRIDGE, "autostart": "yes"}),
        create("vlan-parent", {"iface": "nope90.5", "type": "vlan"}),
        create("vlan-tag", {"iface": "{a}.90", "type": "vlan", "vlan-id": 5000}),
        update("update-missing", "bond90", {"type": "bond"}),
        update("update-no-type", "{a}", {"comments": "x"}),
        update("update-other-name", "{a}", {"type": "eth", "iface": "{b}"}),
        remove("delete-missing", "bond90"),
        Step(name="reload-junk", method="PUT", path=f"{NETWORK}", form={"foo": 1}),
    ),
)

UPDATE = Scene(
    name="update",
    about="changes of staged interfaces, and their end; nothing is applied but what was there",
    nics=3,
    steps=(
        revert(),
        create("create-bond", {**BOND, "bond_mode": "802.3ad", "bond_xmit_hash_policy": "layer2+3", "mtu": 9000}),
        create("create-bridge", {**BRIDGE, "bridge_ports": "bond90", "cidr": "10.90.1.1/24", "autostart": 1}),
        create("create-vlan", {"iface": "bond90.90", "type": "vlan"}),
        listing("list-pending"),
        create("slave-used", {"iface": "bond91", "type": "bond", "slaves": "{a}"}),
        create("second-bridge", {"iface": "vmbr91", "type": "bridge", "bridge_ports": "bond90"}),
        update("slaves", "bond90", {"type": "bond", "slaves": "{a} {c}"}),
        one("slaves.get", "bond90"),
        one("slaves-dropped.get", "{b}"),
        update("mode", "bond90", {"type": "bond", "bond_mode": "active-backup", "bond-primary": "{c}"}),
        update("mtu-away", "bond90", {"type": "bond", "delete": "mtu,bond_xmit_hash_policy"}),
        one("mtu-away.get", "bond90"),
        update("address-kept", "vmbr90", {"type": "bridge", "cidr": "10.90.1.1/24", "comments": "kept"}),
        one("address-kept.get", "vmbr90"),
        update("address-lost", "vmbr90", {"type": "bridge", "comments": "lost"}, "without cidr it turns manual"),
        one("address-lost.get", "vmbr90"),
        update("ports-away", "vmbr90", {"type": "bridge", "delete": "bridge_ports"}),
        remove("delete-bond-under-vlan", "bond90"),
        remove("delete-vlan", "bond90.90"),
        remove("delete-bond", "bond90"),
        listing("list-changed"),
        revert(),
        listing("list-reverted"),
        *reload("with nothing pending"),
    ),
)

MODE_CHANGES = Scene(
    name="modes",
    about="a bond in every mode, made anew and changed in place, each applied",
    nics=2,
    steps=(
        create("create-bond", {**BOND, "bond_mode": MODES[0], "autostart": 1}),
        *reload(MODES[0]),
        *(
            step
            for mode in MODES[1:]
            for step in (update(f"mode-{mode}", "bond90", {"type": "bond", "bond_mode": mode}), *reload(mode))
        ),
        remove("delete-bond", "bond90"),
        *reload(),
        create("create-with-primary", {**BOND, "bond_mode": "active-backup", "bond-primary": "{b}", "autostart": 1}),
        *reload("active-backup with a primary from nothing"),
    ),
)

VLANS = Scene(
    name="vlans",
    about="a VLAN-aware bridge, VLANs on it and beside it, an MTU, each applied",
    nics=3,
    steps=(
        create("create-bond", {**BOND, "bond_mode": "802.3ad", "autostart": 1, "mtu": 9000}),
        create("create-bridge", {**BRIDGE, "bridge_ports": "bond90", "bridge_vlan_aware": 1, "autostart": 1}),
        create("create-vlan", {"iface": "vmbr90.90", "type": "vlan", "cidr": "10.90.3.1/24", "autostart": 1}),
        create("create-vlan-on-nic", {"iface": "{c}.91", "type": "vlan", "autostart": 1}),
        create(
            "create-vlan-free-name",
            {"iface": "store90", "type": "vlan", "vlan-raw-device": "bond90", "vlan-id": 92, "autostart": 1},
        ),
        listing("list-pending"),
        *reload(),
        update("mtu", "bond90", {"type": "bond", "mtu": 1400}),
        update("vids", "vmbr90", {"type": "bridge", "bridge_vids": "2 4 90"}),
        *reload(),
        update("mtu-away", "bond90", {"type": "bond", "delete": "mtu"}),
        update("aware-away", "vmbr90", {"type": "bridge", "delete": "bridge_vlan_aware"}),
        *reload(),
    ),
)

BAD = Scene(
    name="bad",
    about="a bridge port that is not there: the reload fails, and nothing is rolled back",
    nics=1,
    rough=True,
    steps=(
        create("create-bridge", {**BRIDGE, "bridge_ports": "nope90.5", "autostart": 1}),
        *reload("vmbr90 has a port that is not there"),
        revert(),
        listing("list-after-revert"),
        remove("delete-bridge", "vmbr90"),
        *reload(),
    ),
)

DOUBLE = Scene(
    name="double",
    about="a second reload while one runs: it ends in exit code 89, and its staging is consumed",
    nics=2,
    rough=True,
    steps=(
        create("create-bond", {**BOND, "bond_mode": "balance-rr", "autostart": 1}),
        Step(name="reload", method="PUT", path=NETWORK),
        create("create-bridge-meanwhile", {**BRIDGE, "autostart": 1}),
        Step(name="reload-again", method="PUT", path=NETWORK, note="while the first one runs"),
        *ended(),
        Step(name="first-status", method="GET", path=f"{TASK.replace('upid', 'first')}/status", waits=True),
        listing("list-after"),
        *reload("once more, with nothing pending"),
    ),
)

SCENES = {
    scene.name: scene for scene in (NODE, WALKTHROUGH, CREATE, REFUSALS, UPDATE, MODE_CHANGES, VLANS, BAD, DOUBLE)
}
