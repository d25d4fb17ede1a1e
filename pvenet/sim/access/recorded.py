"""The users of the recordings, whom a new sim has; their secrets open nothing but sims."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from pvenet.sim.access.users import FULL_TOKEN


def default_users() -> dict[str, Any]:
    """The users of the recordings; their secrets open nothing but sims."""
    password = "oracle-secret"  # noqa: S105  recorded, see above
    names = ("root@pam", "ops@pve", "sysonly@pve", "auditor@pve", "nobody@pve", "disabled@pve")
    return {
        "users": {name: {"password": password, "enabled": name != "disabled@pve"} for name in names},
        "tokens": {
            FULL_TOKEN: _default_token("1"),
            "root@pam!sep": _default_token("2", privsep=True),
            "ops@pve!net": _default_token("3"),
            "auditor@pve!ro": _default_token("4"),
            "nobody@pve!none": _default_token("5"),
            "sysonly@pve!tok": _default_token("6"),
            "root@pam!old": _default_token("7", expire=1),
            "disabled@pve!tok": _default_token("8"),
        },
        "roles": {
            "NetOps": ["SDN.Audit", "SDN.Use", "Sys.Audit", "Sys.Modify"],
            "SysOnly": ["Sys.Audit", "Sys.Modify"],
        },
        "acl": [
            {"path": "/nodes", "who": "ops@pve", "role": "NetOps"},
            {"path": "/sdn", "who": "ops@pve", "role": "NetOps"},
            {"path": "/nodes", "who": "sysonly@pve", "role": "SysOnly"},
            {"path": "/", "who": "auditor@pve", "role": "PVEAuditor"},
        ],
        "key": secrets.token_hex(32),
    }


def own_users(secret: str | None = None) -> dict[str, Any]:
    """The same users with secrets that nobody else knows; one may be given, of the token that may do everything."""
    users = default_users()
    for user in users["users"].values():
        user["password"] = secrets.token_urlsafe(24)
    for token in users["tokens"].values():
        token["secret"] = str(uuid.uuid4())
    if secret:
        users["tokens"][FULL_TOKEN]["secret"] = secret
    return users


def _default_token(digit: str, *, privsep: bool = False, expire: int = 0) -> dict[str, Any]:
    secret = "-".join(digit * size for size in (8, 4, 4, 4, 12))
    return {"secret": secret, "privsep": privsep, "expire": expire}
