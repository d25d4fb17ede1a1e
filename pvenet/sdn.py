"""The cluster's SDN lock: while somebody holds it, nobody else's SDN apply reloads a node (pve-api#sdn-lock-ignored).

It is one for the whole cluster, and has no owner, no age and no end (pve-api#sdn-lock-holder). Anybody with its right
can end it by force; nothing here does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.connection.failures import unproven

if TYPE_CHECKING:
    from pvenet.connection import Connection

LOCK = ("cluster", "sdn", "lock")
NOBODYS = "00000000-0000-0000-0000-000000000000"
"""A token that no lock has: a release with it is refused where somebody holds the lock, and else does nothing."""
BY_FORCE = "pvesh delete /cluster/sdn/lock --force 1"
"""What ends anybody's lock, on any node. Nothing here sends it."""

_ANOTHERS = "invalid lock token"
_REASONS = {
    _ANOTHERS: "somebody else holds it",
    "has pending changes": "SDN changes are pending in the cluster",
    "no quorum": "the cluster is not quorate",
    "unable to open file": "the cluster has no SDN configuration yet",
}
"""What PVE says, and what it means. pve-api#sdn-lock, pve-api#no-quorum."""
FORBIDDEN, SERVER_ERROR, NOT_IMPLEMENTED = 403, 500, 501
"""HTTP's own numbers."""


def acquire(connection: Connection, *, timeout: float | None = None) -> str:
    """Take the lock; its token. Raises AnswerLost where it may be held now, with a token that nobody has heard."""
    try:
        answer = connection.post(*LOCK, form={}, timeout=timeout)
    except errors.RefusedByPVE as refused:
        if refused.status != SERVER_ERROR or _meaning(refused):
            raise
        raise unproven(connection.endpoint, refused) from None  # it may have failed after it had acted
    token = answer.text()
    if not token:
        raise answer.malformed("without a token")
    return token


def release(connection: Connection, token: str, *, timeout: float | None = None) -> bool:
    """Release the lock, which may be gone already (pve-api#sdn-lock-release); False where it is another's now."""
    try:
        connection.delete(*LOCK, query={"lock-token": token}, timeout=timeout)
    except errors.RefusedByPVE as refused:
        if _ANOTHERS not in refused.message:
            raise
        return False
    return True


def is_free(connection: Connection, *, timeout: float | None = None) -> bool:
    """Whether nobody holds the lock. No call tells that; a release that can't be anybody's does."""
    return release(connection, NOBODYS, timeout=timeout)


def why_not(connection: Connection, error: errors.PvenetError) -> str:
    """Why the lock can't be had, a clause."""
    match error:
        case errors.RefusedByPVE(status=status) if status == FORBIDDEN:
            return f"{connection.credentials.user} lacks SDN.Allocate on /sdn"
        case errors.RefusedByPVE(status=status) if status == NOT_IMPLEMENTED:
            return "this PVE has none"
        case _:
            return _meaning(error) or error.message


def _meaning(error: errors.PvenetError) -> str:
    return next((meant for words, meant in _REASONS.items() if words in error.message), "")
