"""Roles, users, tokens and the access list of a sim: answered as recorded, and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from folder_replay import FolderReplay
from sim_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sim_replay import Exchange

USER, TOKEN = "/access/users/pvenet@pve", "/access/users/pvenet@pve/token/ci"
BRIDGES = "it names no bridge, where the server of A057 named them all"
NOT_OURS = dict.fromkeys((f"K7-tokens-{number:03}" for number in (73, 92, 107)), BRIDGES)
"""Exchanges that are not replayed, and why."""
ON_ALL = {"path": "/", "roles": "ClusterRead", "propagate": 0}
HELD_BACK: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "K7-tokens-013": ("POST", "/access/users", {"userid": "pvenet@pve"}),
    "K7-tokens-081": ("PUT", "/access/acl", {"users": "pvenet@pve", "tokens": "pvenet@pve!ci"} | ON_ALL),
    "K7-tokens-114": ("DELETE", "/access/roles/NodeNetwork", {}),
}
"""What was sent before an exchange, and stands in none of these; what came before and after tells it."""


class _Accounts(FolderReplay):
    def _prepare(self, number: int, exchange: Exchange) -> None:
        super()._prepare(number, exchange)
        for name, (method, path, form) in HELD_BACK.items():
            if exchange.name.startswith(name):
                assert Client(self.adapter.sim).ask(method, path, **form).ok


def test_recorded_accounts_are_answered_alike(told: Callable[[str], None], tmp_path: Path) -> None:
    """From the first role to the token's end: what each may do with which rights, in PVE's words."""
    replay = _Accounts(tmp_path, "tokens.jsonl", not_ours=NOT_OURS)
    machine = replay.node.machine()
    replay.node.save(machine.but(up=machine.up | {"ens38"}))
    found = list(replay.differences())
    told(f"tokens.jsonl: {replay.told(found)}")
    assert len(replay.exchanges) > 90
    assert found == []


@pytest.fixture
def root(tmp_path: Path) -> Client:
    """A sim's client who may do everything; there are a role and a user."""
    client = Client(tmp_path)
    assert client.ask("POST", "/access/roles", roleid="Net", privs="Sys.Audit,Sys.Modify").ok
    assert client.ask("POST", "/access/users", userid="pvenet@pve", comment="made by a test").ok
    return client


def token_of(client: Client) -> str:
    """A new token, whole."""
    data = client.ask("POST", TOKEN).json()["data"]
    return f"{data['full-tokenid']}={data['value']}"


def refusal(
    client: Client, method: str, path: str, form: dict[str, Any] | None = None
) -> tuple[int, str, dict[str, str]]:
    """Status, reason, and the parameters at fault."""
    answer = client.ask(method, path, **(form or {}))
    return answer.status_code, answer.reason, answer.json().get("errors") or {}


def test_a_new_secret_ends_the_old_one(root: Client, tmp_path: Path) -> None:
    """With `regenerate` the token has another secret, and who uses the first is locked out."""
    first = token_of(root)
    data = root.ask("PUT", TOKEN, regenerate=1).json()["data"]
    second = f"{data['full-tokenid']}={data['value']}"
    assert Client(tmp_path, token=first).ask("GET", "/version").status_code == 401
    assert Client(tmp_path, token=second).ask("GET", "/version").ok


def test_an_older_server_has_no_new_secrets(root: Client, tmp_path: Path) -> None:
    """Before 9.1 `regenerate` is a parameter that nobody knows; the token stays as it is."""
    first = token_of(root)
    (tmp_path / "sim.json").write_text('{"token_regenerate": false}')
    status, _, errors = refusal(root, "PUT", TOKEN, {"regenerate": 1})
    assert (status, "not defined in schema" in errors["regenerate"]) == (400, True)
    assert Client(tmp_path, token=first).ask("GET", "/version").ok


def test_what_is_deleted_takes_its_rights_along(root: Client) -> None:
    """A token's entries go with it, and a user's with the user; one that comes back has none."""
    token_of(root)
    root.ask("PUT", "/access/acl", path="/nodes", roles="Net", users="pvenet@pve", tokens="pvenet@pve!ci")
    whose = [entry["ugid"] for entry in root.ask("GET", "/access/acl").json()["data"] if entry["roleid"] == "Net"]
    assert sorted(whose) == ["pvenet@pve", "pvenet@pve!ci"]
    assert root.ask("DELETE", TOKEN).ok
    assert root.ask("DELETE", USER).ok
    left = [entry["ugid"] for entry in root.ask("GET", "/access/acl").json()["data"]]
    assert not [name for name in left if name.startswith("pvenet@pve")]
    assert refusal(root, "GET", TOKEN)[:2] == (500, "no such user ('pvenet@pve')")


def test_a_role_that_is_changed_changes_who_has_it(root: Client, tmp_path: Path) -> None:
    """PUT replaces the privileges, or adds to them with `append`; a role that is gone gives none."""
    root.ask("PUT", "/access/acl", path="/nodes/", roles="Net", users="pvenet@pve", tokens="")
    asked = "/access/permissions?userid=pvenet@pve&path=/nodes/pve1"
    for form, left in (
        ({"privs": "Sys.Audit"}, {"Sys.Audit"}),
        ({"privs": "Sys.Syslog", "append": 1}, {"Sys.Audit", "Sys.Syslog"}),
    ):
        assert root.ask("PUT", "/access/roles/Net", **form).ok
        assert set(root.ask("GET", asked).json()["data"]["/nodes/pve1"]) == left
    assert root.ask("DELETE", "/access/roles/Net").ok
    assert root.ask("GET", asked).json()["data"] == {"/nodes/pve1": {}}
    assert (tmp_path / "users.json").exists()


def test_no_access_is_none(root: Client) -> None:
    """Who has NoAccess at a path has nothing there, whatever else was given there or above."""
    for path, roles in ("/", "Administrator"), ("/nodes", "NoAccess,Net"):
        root.ask("PUT", "/access/acl", path=path, roles=roles, users="pvenet@pve")
    for path, some in ("/nodes/pve1", False), ("/vms", True):
        held = root.ask("GET", f"/access/permissions?userid=pvenet@pve&path={path}").json()["data"][path]
        assert bool(held) is some


def test_a_user_makes_own_tokens_and_no_others(root: Client, tmp_path: Path) -> None:
    """By the ticket of the user itself; neither role nor entry of the list."""
    assert root.ask("PUT", USER, password="a-long-password").ok
    client = Client(tmp_path)
    del client.session.headers["Authorization"]
    data = client.ask("POST", "/access/ticket", username="pvenet@pve", password="a-long-password").json()["data"]
    client.session.headers["Cookie"] = f"PVEAuthCookie={data['ticket']}"
    client.session.headers["CSRFPreventionToken"] = data["CSRFPreventionToken"]
    assert client.ask("POST", TOKEN).ok
    assert [user["userid"] for user in client.ask("GET", "/access/users").json()["data"]] == ["pvenet@pve"]
    assert refusal(client, "POST", "/access/users/ops@pve/token/x")[:2] == (403, "Permission check failed")
    assert refusal(client, "POST", "/access/roles", {"roleid": "x", "privs": ""})[0] == 403
    assert refusal(client, "PUT", "/access/acl", {"path": "/nodes", "roles": "Net", "users": "pvenet@pve"})[:2] == (
        403,
        "Permission check failed (/nodes, Permissions.Modify)",
    )
    assert client.ask("GET", "/access/acl").json()["data"] == []


NOT_THERE: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "PUT",
        "/access/roles/PVEAuditor",
        {"privs": ""},
        "update role failed: auto-generated role 'PVEAuditor' cannot be modified",
    ),
    ("PUT", "/access/roles/Nope", {"privs": "Sys.Audit"}, "update role failed: role 'Nope' does not exist"),
    ("GET", "/access/roles/Nope", {}, "role 'Nope' does not exist"),
    ("DELETE", "/access/users/no@pve", {}, "delete user failed: no such user ('no@pve')"),
    ("PUT", TOKEN, {"comment": "x"}, "no such token 'ci' for user 'pvenet@pve'"),
    (
        "PUT",
        "/access/acl",
        {"path": "/", "roles": "Net", "users": "no@pve"},
        "ACL update failed: no such user ('no@pve')",
    ),
    (
        "PUT",
        "/access/acl",
        {"path": "/", "roles": "Net", "tokens": "pvenet@pve!no"},
        "ACL update failed: no such token 'no' for user 'pvenet@pve'",
    ),
]


@pytest.mark.parametrize("asked", NOT_THERE, ids=lambda asked: asked[3])
def test_what_is_not_there_is_refused(
    root: Client, tmp_path: Path, asked: tuple[str, str, dict[str, Any], str]
) -> None:
    """In PVE's words as far as they are known, and nothing is written."""
    method, path, form, reason = asked
    before = (tmp_path / "users.json").read_text()
    assert refusal(root, method, path, form)[:2] == (500, reason)
    assert (tmp_path / "users.json").read_text() == before


def test_a_second_factor_keeps_a_password_out(tmp_path: Path) -> None:
    """The answer to the login says so, and its ticket opens nothing; tokens of the user go on working."""
    client = Client(tmp_path)
    path = tmp_path / "users.json"
    data = json.loads(path.read_text())
    data["users"]["root@pam"]["tfa"] = True
    path.write_text(json.dumps(data))
    assert client.ask("GET", "/version").ok
    told = client.ask("POST", "/access/ticket", username="root@pam", password="oracle-secret").json()["data"]
    assert told["NeedTFA"] == 1
    del client.session.headers["Authorization"]
    client.session.headers["Cookie"] = f"PVEAuthCookie={told['ticket']}"
    assert client.ask("GET", "/version").status_code == 401
    wrong = client.ask("POST", "/access/ticket", username="root@pam", password="wrong")
    assert wrong.reason == "authentication failure"
