"""The JSON Schema of a network file, from the types that load it, for editors."""

from __future__ import annotations

from typing import Any

from pvenet.spec.file import NetworkFile

DRAFT = "http://json-schema.org/draft-07/schema#"
"""What every editor's YAML support understands."""


def schema() -> dict[str, Any]:
    """The schema, as JSON data."""
    made = NetworkFile.model_json_schema(ref_template="#/definitions/{model}")
    made["definitions"] = made.pop("$defs")
    return {"$schema": DRAFT, **_tidied(made)}


def _tidied(part: Any, *, names: bool = False) -> Any:
    """Without what says nothing: a title that repeats the key, a default that is none.

    `names`: the keys of this part are names and not words of the schema.
    """
    if isinstance(part, list):
        return [_tidied(each) for each in part]
    if not isinstance(part, dict):
        return part
    silent = () if names else ("title", *(("default",) if part.get("default", ...) is None else ()))
    return {
        key: _tidied(value, names=not names and key in ("properties", "definitions"))
        for key, value in part.items()
        if key not in silent
    }
