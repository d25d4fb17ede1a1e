"""A folder in which the modes of files hold, also where the tests run as root."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """Be a user to whom modes apply, with a folder of its own."""
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="pvenet-"))
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)
        _opened(folder)
        shutil.rmtree(folder)


def _opened(folder: Path) -> None:
    folder.chmod(0o700)
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            _opened(each)
