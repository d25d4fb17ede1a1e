"""Files and folders that are their owner's alone.

What is made is made for its owner, whatever the umask; and nothing is written through a link, or into a file, that
somebody may have left in a folder that others can write. Everything here raises OSError, whose text says what is wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ALONE = 0o700
"""The mode of a folder that is its owner's alone."""
WRITE = 0o022
READ_OR_WRITE = 0o077
"""What a mode allows to others, the group among them."""


def make_folder(path: Path) -> None:
    """Make a folder that is its owner's alone, and what is missing above it; one that is there stays as it is."""
    refuse_planted(path)
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent)
    try:
        path.mkdir(mode=ALONE)
    except FileExistsError:  # somebody was quicker, or it is a file
        refuse_planted(path)
        if not path.is_dir():
            raise
        return
    path.chmod(ALONE)


def make_own_folder(path: Path) -> None:
    """The same of a folder that nobody but pvenet uses: one that is there is closed to others, too."""
    make_folder(path)
    if path.stat().st_mode & READ_OR_WRITE:
        path.chmod(ALONE)


def listed(folder: Path, pattern: str = "*") -> list[Path]:
    """What a folder holds that is called so, sorted; nothing where there is no such folder.

    `Path.glob` finds nothing in a folder that can't be read, either.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - `iterdir` is no shorter
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if fnmatchcase(name, pattern)]


def write(path: Path, data: bytes, *, mode: int = 0o600, synced: bool = False, follow: bool = False) -> None:
    """Write a file anew, with this mode where it is made.

    `follow`: also through a link of the owner's, that is one where others can't write.
    """
    refuse_planted(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        if synced:
            file.flush()
            os.fsync(file.fileno())


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file anew, all of it at once and with this mode: whoever reads it has the old one or the new one.

    A link of the owner's stays one. Raises OSError for what is there and is no file.
    """
    refuse_planted(path)
    target = path.resolve()
    refuse_planted(target)
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    _put(target, data, mode=mode, synced=True)


def put(path: Path, data: bytes) -> None:
    """The same of what may be lost with the power, in a folder that `make_own_folder` has closed to others.

    Whoever reads a file while it is made for the first time may have a part of it.
    """
    try:
        _fill(path, data, mode=0o600, synced=False)  # a draft that is renamed takes twice as long
    except FileExistsError:
        _put(path, data, mode=0o600, synced=False)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _put(path: Path, data: bytes, *, mode: int, synced: bool) -> None:
    beside = path.with_name(f".{path.name[:200]}.{os.urandom(6).hex()}")
    try:
        _fill(beside, data, mode=mode, synced=synced)
        beside.replace(path)
    except BaseException:  # a draft may hold a secret, also where a person ends it
        beside.unlink(missing_ok=True)
        raise


def _fill(path: Path, data: bytes, *, mode: int, synced: bool) -> None:
    """Write a file that is new. Raises FileExistsError where there is one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask
        file.write(data)
        if synced:
            file.flush()
            os.fsync(file.fileno())


def refuse_planted(path: Path) -> None:
    """Raises OSError where a part of the path is a link that others may have left, or its end a file that they did."""
    part, end = str(path.absolute()), True
    while (folder := os.path.dirname(part)) != part:  # noqa: PTH120 - of text: Path takes thrice as long
        with suppress(FileNotFoundError, NotADirectoryError):
            found = os.lstat(part)
            if os.stat(folder).st_mode & WRITE:  # noqa: PTH116
                _refuse_left(part, found, end=end)
        part, end = folder, False


def _refuse_left(part: str, found: os.stat_result, *, end: bool) -> None:
    """What stands in a folder that others can write."""
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.EPERM, f"{part} is a link in a folder that others can write", part)
    if end and found.st_uid not in (0, os.geteuid()):
        raise OSError(errno.EPERM, f"{part} belongs to somebody else, in a folder that others can write", part)
    if end and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        raise OSError(errno.EPERM, f"{part} has a second name, in a folder that others can write", part)


def read_checked(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """What a file holds, up to a limit, and its status; a pipe is read to its end."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", str(path))
        return data, os.fstat(file.fileno())
