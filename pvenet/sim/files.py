"""The files of a sim, each whole or not there at all, and the error for what can't be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class SimError(Exception):
    """The sim can't be made or used as asked; the text says why."""


def write_file(path: Path, text: str) -> None:
    """The file is there whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(text.encode("utf-8", "surrogateescape"))
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
    except json.JSONDecodeError as error:
        raise SimError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise SimError(f"{path} holds no JSON object")
    return data
