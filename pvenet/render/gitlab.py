"""The reports that GitLab shows in a merge request: Code Quality, and what a plan creates, updates and deletes."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pvenet.foreign import one_line
from pvenet.render.github import in_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.spec.diagnostics import Diagnostic, FileDiagnostics

_LINES = re.compile(r"\bline \d+")
"""In a message: where the other thing stands."""


def code_quality(found: Iterable[FileDiagnostics]) -> list[dict[str, Any]]:
    """What is wrong in some files as a Code Quality report."""
    met: Counter[str] = Counter()
    return [_issue(each.file, diagnostic, met) for each in found for diagnostic in each.diagnostics]


def counts_report(data: Mapping[str, Any]) -> dict[str, int]:
    """The report of kind `terraform`, which GitLab shows whoever wrote it: three numbers."""
    return {word: int(data["counts"][word]) for word in ("create", "update", "delete")}


def _issue(file: str, found: Diagnostic, met: Counter[str]) -> dict[str, Any]:
    path = in_repository(file)
    about = f"{path}\0{_LINES.sub('line', found.message)}"
    met[about] += 1
    meant = f" (did you mean {found.nearest}?)" if found.nearest else ""
    return {
        "description": one_line(f"{found.message}{meant}"),
        "check_name": "pvenet-check",
        "fingerprint": _fingerprint(about, met[about]),
        "severity": "minor" if found.warning else "major",
        "location": {"path": path, "lines": {"begin": found.position.line}},
    }


def _fingerprint(about: str, number: int) -> str:
    """Stays the same when lines move: the forge tells by it what is new."""
    return sha256(f"{about}\0{number}".encode("utf8", "surrogatepass")).hexdigest()
