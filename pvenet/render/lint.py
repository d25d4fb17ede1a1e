"""What the rules have found: a line each, and the same as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.lint import Finding
    from pvenet.spec.diagnostics import Diagnostic

Told = tuple["Finding", "Diagnostic | None"]
"""A finding, and where it stands in a file."""


def lint_text(found: Sequence[Told], file: str) -> str:
    """A line each: as compilers print one where it stands in a file, else with its node in front."""
    return "\n".join(diagnostic.text(file) if diagnostic else one_line(_text(each)) for each, diagnostic in found)


def _text(finding: Finding) -> str:
    return f"{finding.node}: {finding.message} [{finding.rule}]"


def lint_summary(found: Sequence[Told], where: str, ignored: int) -> str:
    """How many there are, and where to read on."""
    if not found:
        return f"nothing found in {where}{f'; {ignored} ignored' if ignored else ''}"
    more = f", {ignored} more ignored" if ignored else ""
    return f"{counted(len(found), 'finding')}{more}: `pvenet help lint-rules` explains them, and how to ignore a rule"


def lint_data(found: Sequence[Told], file: str | None) -> list[dict[str, Any]]:
    """What `lint --json` gives; of live nodes without a place."""
    return [
        {
            "rule": finding.rule,
            "node": finding.node,
            "interface": finding.interface,
            "field": finding.field,
            "message": finding.message,
            "file": file,
            "line": diagnostic.position.line if diagnostic else None,
            "column": diagnostic.position.column if diagnostic else None,
        }
        for finding, diagnostic in found
    ]
