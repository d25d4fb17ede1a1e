"""What this machine refuses of the state folder: why, whose it is, and what to do."""

from __future__ import annotations

import errno
import os
import pwd
import shlex
from pathlib import Path

from pvenet import errors

_FULL = (errno.ENOSPC, errno.EDQUOT)


def unreadable(what: str, path: Path, error: OSError) -> errors.JournalUnreadable:
    """The error where something that is kept can't be read, so that nobody knows what it says. `what`: a plural."""
    path = path if error.filename is None else Path(os.fsdecode(error.filename))
    return errors.JournalUnreadable(
        f"{what} can't be read: {error.strerror} ({path})", hint=_remedy(path, error, "readable")
    )


def unwritable(path: Path, error: OSError, so: str = "") -> errors.JournalUnwritable:
    """The error where a journal can't be written. `so`: how the node is all the same."""
    found = errors.JournalUnwritable(
        f"the journal {path} can't be written: {error.strerror}", hint=_remedy(path, error, "writable")
    )
    return found.after(so) if so else found


def _remedy(path: Path, error: OSError, able: str) -> str:
    """How it is made so that it can be read or written, and what another folder costs: there nothing of it is ours."""
    elsewhere = "--state-dir or PVENET_STATE_DIR names another folder, where nothing of what is kept here is known"
    if error.errno in _FULL:
        return f"free space there, and repeat; {elsewhere}"
    if error.errno != errno.EACCES:
        return f"make it {able}, and repeat; {elsewhere}"
    barrier, owner = _barrier(path)
    folder = shlex.quote(str(barrier if barrier.is_dir() else barrier.parent))
    me = os.geteuid()
    if owner == me:
        return f"open it to yourself and repeat: `chmod -R u+rwX {folder}`;\n{elsewhere}"
    return (
        f"{barrier} belongs to {_name(owner)}, and this is {_name(me)}: run pvenet as {_name(owner)}, or take it over: "
        f"`sudo chown -R {_name(me)} {folder}`;\n{elsewhere}"
    )


def _barrier(path: Path) -> tuple[Path, int]:
    """The innermost part of a path that can be looked at, which is what refuses, and whose it is."""
    for part in (path, *path.parents):
        try:
            return part, part.stat().st_uid
        except OSError:
            continue
    return path, os.geteuid()


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # a number has no name where it comes from elsewhere
        return str(user)
