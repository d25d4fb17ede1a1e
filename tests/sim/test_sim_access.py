"""Who may enter a sim, and what they may do there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sim_client import Client
from sim_replay import Replay, load

from pvenet.sim.access.recorded import default_users
from pvenet.sim.access.users import Denied, Identity, Users

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
HOUR = 3600


@pytest.fixture
def users() -> Users:
    return Users.of(default_users())


def test_recorded_exchanges_are_answered_alike(tmp_path: Path) -> None:
    """Tokens, tickets, CSRF and privileges decide as they did in group A."""
    assert list(Replay(tmp_path, load("A")).differences()) == []


def test_tickets_live_for_two_hours(users: Users) -> None:
    """A ticket is good for two hours, from here or a clock that is a little ahead."""
    ticket = users.ticket("ops@pve", NOW)
    assert users.ticket_user(ticket, NOW + 2 * HOUR - 1) == "ops@pve"
    assert users.ticket_user(ticket, NOW + 2 * HOUR) is None
    assert users.ticket_user(ticket, NOW - 60) == "ops@pve"
    assert users.ticket_user(ticket, NOW - HOUR) is None


def test_tickets_of_another_sim_are_worth_nothing(users: Users) -> None:
    """Each sim signs with a key of its own."""
    assert users.ticket_user(Users.of(default_users()).ticket("root@pam", NOW), NOW) is None


@pytest.mark.parametrize("text", ["", "PVE", "PVE:root@pam", "PVE:root@pam:XYZ::abc", "PVE:a:b:c::d", "é"])
def test_odd_tickets_are_no_tickets(users: Users, text: str) -> None:
    """Whatever is sent for a ticket, it is refused and not more."""
    assert users.ticket_user(text, NOW) is None


@pytest.mark.parametrize(
    "header", ["PVEAPIToken=", "PVEAPIToken=a!b=", "PVEAPIToken=é!é=é", "PVEAPIToken=root@pam!full="]
)
def test_odd_tokens_are_refused(users: Users, header: str) -> None:
    """An empty secret opens nothing, not even a token that is not there."""
    with pytest.raises(Denied, match="Authentication failed!"):
        users.enter("GET", {"authorization": header}, NOW)


def test_the_nearest_entry_counts() -> None:
    """An entry further down a path replaces what was granted above."""
    acl = [
        {"path": "/", "who": "a@pve", "privileges": ["Sys.Audit", "Sys.Modify"]},
        {"path": "/nodes/pve2", "who": "a@pve", "privileges": ["Sys.Audit"]},
        {"path": "/sdn", "who": "a@pve", "privileges": ["SDN.Use"], "propagate": False},
    ]
    users = Users.of({"users": {"a@pve": {"enabled": True}}, "acl": acl})
    who = Identity(user="a@pve")
    assert users.privileges(who, "/nodes/pve1") == {"Sys.Audit", "Sys.Modify"}
    assert users.privileges(who, "/nodes/pve2") == {"Sys.Audit"}
    assert users.privileges(who, "/sdn") == {"SDN.Use"}
    assert users.privileges(who, "/sdn/zones") == {"Sys.Audit", "Sys.Modify"}


def test_a_separated_token_has_what_both_have(tmp_path: Path) -> None:
    """A token with privilege separation may do what its user and itself may."""
    client = Client(tmp_path, token="root@pam!sep=22222222-2222-2222-2222-222222222222")
    path = tmp_path / "users.json"
    data = json.loads(path.read_text())
    data["acl"].append({"path": "/nodes/pve1", "who": "root@pam!sep", "privileges": ["Sys.Modify"]})
    path.write_text(json.dumps(data))
    assert client.ask("GET", "/nodes/pve1/network/vmbr0").reason == "Permission check failed (/nodes/pve1, Sys.Audit)"
    assert client.ask("PUT", "/nodes/pve1/network").status_code == 200


def test_failed_credentials_take_their_time_on_request(tmp_path: Path) -> None:
    """The three seconds of a failed authentication are off unless switched on."""
    client = Client(tmp_path, token="root@pam!full=wrong")
    before = client.now
    assert client.ask("GET", "/version").status_code == 401
    assert client.now == before
    (tmp_path / "sim.json").write_text('{"auth_delay": 3}')
    assert client.ask("GET", "/version").status_code == 401
    assert client.now == before + 3


def test_others_permissions_need_an_audit(tmp_path: Path) -> None:
    """A user may see the permissions of its own tokens, and others' only with Sys.Audit on /access."""
    client = Client(tmp_path, token="nobody@pve!none=55555555-5555-5555-5555-555555555555")
    answer = client.ask("GET", "/access/permissions?userid=ops@pve")
    assert (answer.status_code, answer.reason) == (403, "Permission check failed (/access, Sys.Audit)")
    auditor = Client(tmp_path, token="auditor@pve!ro=44444444-4444-4444-4444-444444444444")
    assert "/nodes" in auditor.ask("GET", "/access/permissions?userid=ops@pve").json()["data"]


ZONE = "/sdn/zones/localnetwork"
NOBODY = "nobody@pve!none=55555555-5555-5555-5555-555555555555"


def granted(folder: Path, *entries: dict[str, object]) -> Client:
    """A client who may do nothing but what these entries of the list grant; there are two bridges."""
    Client(folder).ask("POST", "/nodes/pve1/network", iface="vmbr1", type="bridge")
    users = json.loads((folder / "users.json").read_text())
    users["acl"] += [{"who": "nobody@pve", **entry} for entry in entries]
    (folder / "users.json").write_text(json.dumps(users))
    return Client(folder, token=NOBODY)


def bridges(client: Client) -> set[str]:
    entries = client.ask("GET", "/nodes/pve1/network").json()["data"]
    return {entry["iface"] for entry in entries if entry["type"] == "bridge"}


class TestRightsThatAreNotHandedDown:
    """An entry without propagation counts at its own path and nowhere beneath (pve-api#hidden-bridges)."""

    def test_a_zone_shows_no_bridge(self, tmp_path: Path) -> None:
        """The privilege is listed with 0, on the zone alone; the list is without bridges (K1-acl-011)."""
        entry = {"path": ZONE, "privileges": ["SDN.Use"], "propagate": False}
        client = granted(tmp_path, entry)
        assert bridges(client) == set()
        assert client.ask("GET", "/access/permissions").json()["data"] == {ZONE: {"SDN.Use": 0}}
        asked = client.ask("GET", f"/access/permissions?path={ZONE}/vmbr0").json()["data"]
        assert asked == {f"{ZONE}/vmbr0": {}}

    def test_with_one_bridge_beside_it(self, tmp_path: Path) -> None:
        """That one is seen (K1-acl-032)."""
        zone = {"path": ZONE, "privileges": ["SDN.Audit"], "propagate": False}
        client = granted(tmp_path, zone, {"path": f"{ZONE}/vmbr1", "privileges": ["SDN.Audit"]})
        assert bridges(client) == {"vmbr1"}
        told = client.ask("GET", "/access/permissions").json()["data"]
        assert told == {ZONE: {"SDN.Audit": 0}, f"{ZONE}/vmbr1": {"SDN.Audit": 1}}

    def test_single_bridges(self, tmp_path: Path) -> None:
        """Rights on each of them show each of them, and nothing on the zone (K1-acl-007)."""
        client = granted(tmp_path, {"path": f"{ZONE}/vmbr0", "privileges": ["SDN.Use"]})
        assert bridges(client) == {"vmbr0"}
        assert client.ask("GET", "/access/permissions").json()["data"] == {f"{ZONE}/vmbr0": {"SDN.Use": 1}}

    def test_a_node_of_the_whole(self, tmp_path: Path) -> None:
        """At / they are not had at a node (K7-tokens-107)."""
        client = granted(tmp_path, {"path": "/", "privileges": ["Sys.Audit"], "propagate": False})
        assert client.ask("GET", "/access/permissions").json()["data"] == {"/": {"Sys.Audit": 0}}
        assert client.ask("GET", "/cluster/status").status_code == 200
        assert client.ask("GET", "/nodes/pve1/network/ens33").status_code == 403

    def test_a_separated_token(self) -> None:
        """It hands down what both it and its user do."""
        entries: list[dict[str, Any]] = [
            {"path": "/nodes", "who": "sysonly@pve", "privileges": ["Sys.Audit", "Sys.Modify"]},
            {"path": "/nodes", "who": "sysonly@pve!sep", "privileges": ["Sys.Audit"], "propagate": False},
        ]
        users = Users(users={}, tokens={}, acl=tuple(entries), key=b"")
        told = users.dump(Identity.of("sysonly@pve!sep"), None, [])
        assert told == {"/nodes": {"Sys.Audit": 0}}


@pytest.mark.parametrize(
    ("privilege", "path", "seen"),
    [
        ("SDN.Use", "/sdn/zones/localnetwork", {"vmbr0", "vmbr1"}),
        ("SDN.Audit", "/sdn/zones/localnetwork/vmbr1", {"vmbr1"}),
        ("SDN.Allocate", "/sdn", set()),
    ],
)
def test_bridges_show_for_who_may_use_or_audit_them(privilege: str, path: str, seen: set[str], tmp_path: Path) -> None:
    """Either privilege, on the local zone or on one bridge, shows a bridge in the list; no other does."""
    client = Client(tmp_path)
    client.ask("POST", "/nodes/pve1/network", iface="vmbr1", type="bridge")
    users = json.loads((tmp_path / "users.json").read_text())
    users["acl"].append({"path": path, "who": "nobody@pve", "privileges": [privilege]})
    (tmp_path / "users.json").write_text(json.dumps(users))
    nobody = Client(tmp_path, token="nobody@pve!none=55555555-5555-5555-5555-555555555555")
    entries = nobody.ask("GET", "/nodes/pve1/network").json()["data"]
    assert {entry["iface"] for entry in entries if entry["type"] == "bridge"} == seen
