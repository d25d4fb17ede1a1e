"""The files of a sim, each whole or not there at all, and the error for what can't be used."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class SimError(Exception):
    """The sim can't be made or used as asked; the text says why."""


OTHERWISE = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised where the JSON of a file has another shape than the value that is made of it."""


def make_folder(folder: Path) -> None:
    """Make a sim's folder, its owner's alone; what is missing above it is made as ever."""
    refuse_links(folder)
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)  # whatever the umask


def refuse_links(folder: Path) -> None:
    """Raises `SimError` for a link that somebody may have left in a folder that others can write, as /tmp."""
    whole = folder.absolute()
    for part in (whole, *whole.parents):
        if part.is_symlink() and _open_to_writers(part.parent):
            raise SimError(f"{part} is a link in a folder that others can write")
    if folder.is_dir() and _open_to_writers(folder):
        for place, folders, files in os.walk(folder):
            if linked := [name for name in (*folders, *files) if os.path.islink(os.path.join(place, name))]:  # noqa: PTH114, PTH118 - thousands of tasks
                raise SimError(f"{os.path.join(place, linked[0])} is a link in a folder that others can write")  # noqa: PTH118


def _open_to_writers(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o022)


def write_file(path: Path, text: str) -> None:
    """The file is there whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o644), "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    draft.replace(path)


def read_file(path: Path) -> str:
    """Bytes that are no UTF-8, and ends of lines, survive being read and written."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def write_json(path: Path, data: dict[str, Any]) -> None:
    write_file(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of the sim's own; a person may have broken it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SimError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise SimError(f"{path} does not hold a JSON object")
    return data
