"""The calls of a login on a simulated node: all is made, also where answers are lost, and no secret is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Password, Token
from pvenet.login.calls import held, look, make, remove_token
from pvenet.login.plan import Found, Step, Wanted, steps
from pvenet.login.rights import lacking, rights
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.connection.session import Credentials

ROOT = Password(user="root@pam", password="oracle-secret")
WANTED = Wanted(rights=rights("change"), token_name="ci")
FULL = Wanted(rights=rights("full"), token_name="ci")
TOKEN = "POST access/users/*/token/*"


def connected(folder: Path, *faults: str, who: Credentials = ROOT) -> Connection:
    return Connection([Endpoint(host="sim.invalid", adapter=SimAdapter(folder, faults=faults))], who)


def made(connection: Connection, wanted: Wanted = WANTED, *, secret: bool = True) -> tuple[str | None, list[Step]]:
    """Make it; the secret, and the steps that were made."""
    done: list[Step] = []
    return make(connection, wanted, look(connection, wanted), secret=secret, done=done.append), done


def opened(folder: Path, secret: str | None, wanted: Wanted = WANTED) -> Connection:
    """A connection with the token."""
    assert secret
    return connected(folder, who=Token(id=wanted.token, secret=secret))


@pytest.mark.parametrize("wanted", [WANTED, FULL, Wanted(rights=rights("read-only", ("pve1",)), token_name="ro")])
def test_the_token_has_its_rights(tmp_path: Path, wanted: Wanted) -> None:
    """All that were wanted; a second time nothing is left to make."""
    connection = connected(tmp_path)
    secret, _ = made(connection, wanted)
    assert lacking(wanted.rights, held(opened(tmp_path, secret, wanted), wanted.rights)) == ()
    assert steps(wanted, look(connection, wanted), secret=False) == ()


def test_it_has_no_others(tmp_path: Path) -> None:
    """One that can only look stages nothing, and on one node sees nothing of another."""
    secret, _ = made(connected(tmp_path), wanted := Wanted(rights=rights("read-only"), token_name="ro"))
    connection = opened(tmp_path, secret, wanted)
    assert connection.get("nodes", "pve1", "network", "vmbr0").data
    with pytest.raises(errors.RefusedByPVE, match=r"Sys\.Modify"):
        connection.post("nodes", "pve1", "network", form={"iface": "vmbr1", "type": "bridge"})
    told = connection.get("access", "permissions").data
    assert {privilege for each in told.values() for privilege in each} == {"Sys.Audit", "SDN.Audit"}


def test_what_is_missing_is_mended_and_no_more(tmp_path: Path) -> None:
    """A role that lost a privilege, an entry that is gone: these, and the secret stays as it was."""
    secret, _ = made(connected(tmp_path))
    path = tmp_path / "users.json"
    data = json.loads(path.read_text())
    data["roles"]["NetAdminPvenet"].remove("Sys.Modify")
    data["acl"] = [entry for entry in data["acl"] if (entry["path"], entry["who"]) != ("/", WANTED.token)]
    path.write_text(json.dumps(data))
    nothing, done = made(connected(tmp_path), secret=False)
    assert nothing is None
    assert [step.path[1] for step in done] == ["roles", "acl"]
    assert lacking(WANTED.rights, held(opened(tmp_path, secret), WANTED.rights)) == ()


@pytest.mark.parametrize(
    "fault",
    [
        *(
            f"{kind}@{where}"
            for kind in ("drop-before", "drop-after", "torn")
            for where in ("POST access/roles", TOKEN)
        ),
        *(
            "drop-after@PUT access/acl+3",
            "drop-before@PUT access/acl+6",
            "596=after@POST access/users",
            f"gateway=504@{TOKEN}",
        ),
        *(f"odd-answer={body}@{TOKEN}" for body in ("{}", "[]", '{"data":null}', '{"data":{"value":7}}')),
    ],
)
def test_a_lost_answer_is_looked_up(tmp_path: Path, fault: str) -> None:
    """Whether it was carried out or not: all is made once, and the secret that is given in the end opens the token."""
    odd = fault.startswith("odd-answer") and "value" in fault
    if odd:
        with pytest.raises(errors.NotPVE, match="without a valid secret"):
            made(connected(tmp_path, fault))
        return
    secret, done = made(connected(tmp_path, fault))
    assert lacking(WANTED.rights, held(opened(tmp_path, secret), WANTED.rights)) == ()
    assert len({step.line for step in done}) == len(done)


def test_answers_that_are_always_lost_end(tmp_path: Path) -> None:
    """With a sentence and a way on, not with a try too many."""
    faults = [f"drop-after@PUT access/acl+{number}" for number in range(1, 30)]
    with pytest.raises(errors.Unreachable, match="loses one answer after another") as caught:
        made(connected(tmp_path, *faults))
    assert "again" in caught.value.hint


def test_who_may_not_is_told_what_to_do(tmp_path: Path) -> None:
    """PVE's words, and the lines for somebody who may."""
    ops = Password(user="ops@pve", password="oracle-secret")
    with pytest.raises(errors.RefusedByPVE, match=r"Sys\.Modify") as caught:
        made(connected(tmp_path, who=ops))
    assert "login --print" in caught.value.hint


def test_an_old_secret_is_replaced_where_pve_can(tmp_path: Path) -> None:
    """The first opens nothing any more; an older PVE can't, which is said with a way round."""
    connection = connected(tmp_path)
    first, _ = made(connection)
    second, done = made(connection)
    assert [step.form for step in done] == [{"regenerate": 1}]
    with pytest.raises(errors.AuthenticationFailed):
        opened(tmp_path, first).get("version")
    assert opened(tmp_path, second).get("version").data
    (tmp_path / "sim.json").write_text('{"token_regenerate": false}')
    with pytest.raises(errors.RefusedByPVE, match="an existing token a new secret") as caught:
        made(connection)
    assert "--token-name" in caught.value.hint


def test_a_token_with_all_rights_of_its_user_is_given_its_own(tmp_path: Path) -> None:
    """Else it would have what another token's user rights allow."""
    connection = connected(tmp_path)
    made(connection)
    connection.put("access", "users", WANTED.user, "token", "ci", form={"privsep": 0})
    _, done = made(connection, secret=False)
    assert [step.form for step in done] == [{"privsep": 1}]


def test_who_is_quicker_takes_a_step_away(tmp_path: Path) -> None:
    """What somebody else made since the look is there, and that is no failure."""
    connection = connected(tmp_path)
    connection.post("access", "roles", form={"roleid": "NetAdminPvenet", "privs": "Sys.Audit"})
    secret = make(connection, WANTED, Found(), secret=True, done=lambda _: None)
    assert lacking(WANTED.rights, held(opened(tmp_path, secret), WANTED.rights)) == ()


def test_a_token_is_removed_once(tmp_path: Path) -> None:
    """And one that is gone already is removed."""
    connection = connected(tmp_path)
    made(connection)
    remove_token(connection, WANTED.token)
    remove_token(connection, WANTED.token)
    assert look(connection, WANTED).separated is None


HOSTILE = ["null", "7", '"x"', "[7]", "{}", '[{"type":"user"}]', '[{"type":"user","roleid":[]}]', '[{"path":{}}, []]']
READ = ("access/roles", "access/users", "access/acl", "access/users/*/token")


@pytest.mark.parametrize("data", HOSTILE)
@pytest.mark.parametrize("place", READ)
def test_an_answer_that_is_not_pves_is_an_error_in_a_sentence(tmp_path: Path, place: str, data: str) -> None:
    """Whatever stands in it, wherever: exit 6, and nothing is made."""
    made(connected(tmp_path))
    with pytest.raises(errors.NotPVE):
        look(connected(tmp_path, f'odd-answer={{"data":{data}}}@GET {place}'), WANTED)


@pytest.mark.parametrize("data", ["{}", '{"/nodes":7}', '{"/nodes":["Sys.Audit"]}', '{"/nodes":null,"x":[]}'])
def test_rights_that_are_told_otherwise_are_lacking(tmp_path: Path, data: str) -> None:
    """Nothing is taken for a right that PVE does not name as it does."""
    secret, _ = made(connected(tmp_path))
    connection = connected(
        tmp_path,
        f'odd-answer={{"data":{data}}}@GET access/permissions',
        who=Token(id=WANTED.token, secret=secret or ""),
    )
    assert [right.path for right in lacking(WANTED.rights, held(connection, WANTED.rights))] == ["/nodes"]
