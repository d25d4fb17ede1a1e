"""Privileges by path, what a listing suggests, and the lines that grant what is missing. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES

from pvenet import access, wire
from pvenet.login.rights import rights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.login.rights import Right

ZONE = access.ZONE


@pytest.mark.parametrize(
    ("held", "hidden"),
    [
        ({"/": {"SDN.Audit": True}}, None),
        ({"/sdn": {"SDN.Use": True}}, None),
        ({ZONE: {"SDN.Audit": False, "SDN.Use": True}}, None),
        ({ZONE: {"SDN.Audit": True}, f"{ZONE}/vmbr0": {"SDN.Use": False}}, None),
        ({ZONE: {"SDN.Audit": True}, f"{ZONE}/vmbr0": {"SDN.Allocate": True}}, f"{ZONE}/vmbr0"),
        ({ZONE: {"SDN.Audit": True}, f"{ZONE}/vmbr0/7": {"SDN.Allocate": True}}, None),
        ({}, ZONE),
        ({"/": {"SDN.Audit": False}}, ZONE),
        ({"/sdn": {"SDN.Audit": False}}, ZONE),
        ({ZONE: {"SDN.Use": False}}, ZONE),
        ({ZONE: {"SDN.Allocate": True}}, ZONE),
        ({"/sdn": {"SDN.Audit": True}, ZONE: {"SDN.Audit": False}}, ZONE),
        ({f"{ZONE}/vmbr0": {"SDN.Audit": True}}, ZONE),
    ],
)
def test_all_bridges_are_seen_where_the_zone_hands_a_right_down(
    held: dict[str, dict[str, bool]], hidden: str | None
) -> None:
    """Audit or Use, handed down to the bridges; one bridge's own entry counts alone for that bridge."""
    assert access.hiding(held) == hidden


def test_a_privilege_that_is_not_handed_down_is_held_at_its_own_path() -> None:
    """0 is no "no": Sys.Modify on the node itself is enough, and on /nodes it is not."""
    zone = {ZONE: {"SDN.Audit": True}}
    own = {"Sys.Audit": False, "Sys.Modify": False}
    assert access.missing({"/nodes/pve1": own, **zone}, "pve1") is None
    assert access.missing({"/nodes": own, **zone}, "pve1") == ("Sys.Audit", "/nodes/pve1")


# --- the hint --------------------------------------------------------------------------------------------------------


def hint(who: str, path: str = ZONE) -> str:
    return access.permission_missing(who, "SDN.Audit", path, "pve1").hint


def test_seeing_is_granted_by_a_role_that_may_do_no_more() -> None:
    """To a token and its user; of what is everywhere only the top, so that nothing else is shown by the way."""
    assert access.audit_grants("ops@pve!net", "/vms") == (
        "pveum role add NetGuestsPvenet --privs VM.Audit || pveum role modify NetGuestsPvenet --privs VM.Audit",
        "pveum acl modify /vms --users 'ops@pve' --roles NetGuestsPvenet --propagate 1",
        "pveum acl modify /vms --tokens 'ops@pve!net' --roles NetGuestsPvenet --propagate 1",
    )
    role, line = access.audit_grants("ops@pve", "/")
    assert role.startswith("pveum role add NetAuditPvenet --privs Sys.Audit,SDN.Audit || pveum role modify ")
    assert line == "pveum acl modify / --users 'ops@pve' --roles NetAuditPvenet --propagate 0"


@pytest.mark.parametrize("right", [*rights("read-only"), *rights("full")[-2:-1]], ids=lambda right: right.path)
def test_a_hint_grants_what_a_login_does(right: Right) -> None:
    """The same role, with the privilege, handed down or not: a login that follows finds nothing missing."""
    path = right.path.replace("/nodes", "/nodes/pve1")
    line = access.audit_grants("ops@pve", path)[-1]
    assert line == f"pveum acl modify {path} --users 'ops@pve' --roles {right.role} --propagate {int(right.propagate)}"
    assert set(right.privileges) <= set(access.ROLES[right.role])


def test_the_role_has_a_name_that_pve_takes() -> None:
    """None begins with PVE, in any case (pve-api#role-name); where it is there already, it is changed instead."""
    assert not [name for name in access.ROLES if name.lower().startswith("pve")]
    role = f"{access.ADMIN} --privs Sys.Audit,Sys.Modify,SDN.Audit"
    assert f"pveum role add {role} || pveum role modify {role}" in hint("ops@pve")


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("ops@pve", ["--users 'ops@pve'"]),
        ("ops@pve!net", ["--users 'ops@pve'", "--tokens 'ops@pve!net'"]),
        ("root@pam!sep", ["--tokens 'root@pam!sep'"]),
    ],
)
def test_the_hint_grants_it_to_all_who_need_it(who: str, whom: list[str]) -> None:
    """A token has what both it and its user have (pve-api#token-acl); root@pam has everything."""
    granted = [line.strip() for line in hint(who).splitlines() if "acl" in line]
    places = ["/nodes/pve1", ZONE]
    rest = f"--roles {access.ADMIN} --propagate 1"
    assert granted == [f"pveum acl modify {place} {each} {rest}" for place in places for each in whom]


def test_a_bridge_with_an_entry_of_its_own_is_granted_by_itself() -> None:
    """The nearest entry counts alone, so that the zone's would not be enough."""
    assert f"pveum acl modify {ZONE}/vmbr1 --users 'ops@pve'" in hint("ops@pve", f"{ZONE}/vmbr1")


# --- what a listing suggests -----------------------------------------------------------------------------------------

NIC: wire.Entry = {"iface": "ens33", "type": "eth", "priority": 3, "exists": 1, "active": 1, "families": ["inet"]}
VMBR0: wire.Entry = {
    "iface": "vmbr0",
    "type": "bridge",
    "priority": 4,
    "families": ["inet"],
    "bridge_ports": "ens33",
    "cidr": "192.168.171.21/24",
    "gateway": "192.168.171.2",
}
VMBR1: wire.Entry = {"iface": "vmbr1", "type": "bridge", "priority": 5, "families": ["inet"], "bridge_ports": ""}
VLAN: wire.Entry = {"iface": "vmbr1.7", "type": "vlan", "priority": 5, "vlan-raw-device": "vmbr1", "vlan-id": "7"}
BOND: wire.Entry = {"iface": "bond0", "type": "bond", "priority": 5, "slaves": "ens40", "active": 1, "autostart": 1}
DIFF = "@@ -1 +1,2 @@\n iface lo inet loopback\n-iface vmbr7 inet manual\n+iface vmbr8 inet manual\n"


def suspicion(*entries: wire.Entry, changes: str = "") -> str | None:
    places = [int(entry["priority"]) for entry in entries]
    return access.suspicion(wire.network(entries), places, changes)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([NIC], "no bridge is listed"),
        ([NIC, VMBR1], "nothing that is listed has a default gateway"),
        ([NIC, VMBR0, VLAN], "vmbr1.7 is on top of vmbr1, which is not listed"),
        ([NIC, VMBR0, BOND], "bond0 is up, and nothing that is listed uses it"),
        ([NIC, VMBR0, {**VMBR1, "priority": 6}], "the node's file has more interfaces than are listed"),
    ],
)
def test_a_listing_that_lacks_something_is_suspicious(entries: list[wire.Entry], why: str) -> None:
    """Each by itself."""
    assert suspicion(*entries) == why


def test_a_nic_that_is_up_and_unused_is_a_sign_only_to_who_looks_closely() -> None:
    """It may be the port of a hidden bridge; on many nodes it is just up."""
    network = wire.network([NIC, {**VMBR0, "bridge_ports": ""}])
    assert access.suspicion(network, [3, 4], "") is None
    assert access.suspicion(network, [3, 4], "", thorough=True) == "ens33 is up, and nothing that is listed uses it"


def test_a_diff_that_names_what_is_not_listed_is_suspicious() -> None:
    """What it takes away is gone, and `lo` is never listed."""
    assert suspicion(NIC, VMBR0, changes=DIFF) == "vmbr8 is pending and not listed"
    assert suspicion(NIC, VMBR0, changes=DIFF.replace("vmbr8", "vmbr0")) is None


@pytest.mark.parametrize(
    "entries",
    [
        [NIC, VMBR0],
        [NIC, VMBR0, VMBR1],
        [NIC, {**VMBR0, "gateway": None, "cidr": None, "method": "dhcp"}],
        [NIC, VMBR0, {**BOND, "active": None}],
        [NIC, VMBR0, {**BOND, "cidr": "10.0.0.1/24"}],
        [NIC, VMBR0, BOND, {**VLAN, "iface": "bond0.7", "vlan-raw-device": "bond0", "priority": 6}],
        [NIC, {**VMBR0, "bridge_ports": "bond0.7"}, BOND],
    ],
)
def test_a_whole_listing_is_not(entries: list[wire.Entry]) -> None:
    """So that the common node costs no request more."""
    assert suspicion(*entries) is None


def recorded() -> Iterator[tuple[str, list[wire.Entry], str]]:
    for place in ("exchanges/B.jsonl", "exchanges/H.jsonl", "walkthrough/exchanges.jsonl"):
        for line in (FIXTURES / place).read_text().splitlines():
            exchange = json.loads(line)
            said = exchange["response"].get("json") or {}
            get = exchange["request"]["method"] == "GET" and exchange["request"]["path"].endswith("/nodes/pve1/network")
            if get and isinstance(said.get("data"), list):
                yield exchange["name"], said["data"], said.get("changes") or ""


def test_of_the_recorded_listings_those_without_bridges_are_suspicious() -> None:
    """And no other, whatever was pending."""
    found = {name: data for name, data, changes in recorded() if suspicion_of(data, changes)}
    assert found
    assert len(found) < len(list(recorded()))
    assert not any(entry["type"] == "bridge" for data in found.values() for entry in data)


def suspicion_of(data: list[wire.Entry], changes: str) -> str | None:
    places = [int(entry["priority"]) for entry in data if entry.get("priority")]
    return access.suspicion(wire.network(data), places, changes)
