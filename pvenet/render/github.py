"""Workflow commands: what a runner of GitHub shows at a line of a file, or above a job's log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from posixpath import normpath
from typing import TYPE_CHECKING, Any

from pvenet.foreign import harmless
from pvenet.plan import Risk
from pvenet.render.node_plan import FEW
from pvenet.render.saved_plan import risky_step
from pvenet.render.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pvenet.spec.diagnostics import Diagnostic, FileDiagnostics, Position


class Level(StrEnum):
    """How a line is marked, the worst first: of many the runner shows the first ten of each."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """Something that is said of a line, or of the whole job."""

    level: Level
    text: str
    title: str = ""
    file: str = ""
    """Empty where it is about none."""
    position: Position | None = None


STDIN = "stdin"
"""What pvenet calls a file that has no name, and where nobody can look."""


def annotations_text(found: Iterable[Annotation]) -> str:
    """A command a line, the worst first, each once."""
    levels = list(Level)
    return "\n".join(dict.fromkeys(_command(each) for each in sorted(found, key=lambda each: levels.index(each.level))))


def of_files(found: Iterable[FileDiagnostics]) -> list[Annotation]:
    """What is wrong in some files, and worth a second look."""
    return [of_diagnostic(diagnostic, each.file) for each in found for diagnostic in each.diagnostics]


def of_diagnostic(diagnostic: Diagnostic, file: str) -> Annotation:
    """One thing that is wrong in a file."""
    meant = f" (did you mean {diagnostic.nearest}?)" if diagnostic.nearest else ""
    return Annotation(
        level=Level.WARNING if diagnostic.warning else Level.ERROR,
        text=f"{diagnostic.message}{meant}",
        file=file,
        position=diagnostic.position,
    )


def of_plan(
    data: Mapping[str, Any],
    warnings: Iterable[Diagnostic],
    where: Callable[[str, str], Position] | None = None,
    *,
    drift: bool = False,
) -> list[Annotation]:
    """What a plan, as `plan --json` prints it, would do, each step at its interface; the same on several nodes once.

    `where`: the position of a node's interface; None where it is not known any more.
    """
    file, title = data["file"], "pvenet drift" if drift else "pvenet plan"
    found = [of_diagnostic(each, file) for each in warnings]
    found += [
        Annotation(level=Level.ERROR, title=name, text=f"{name} is not planned: {message}")
        for name, message in data.get("errors", {}).items()
    ]
    nodes: dict[Annotation, list[str]] = {}
    for node in data["nodes"]:
        for step in node["steps"]:
            level = Level.NOTICE if Risk(step["risk"]) is Risk.NONE else Level.WARNING
            at = where(node["node"], step["name"]) if where else None
            each = Annotation(level=level, title=title, text=risky_step(step, plain), file=file, position=at)
            nodes.setdefault(each, []).append(node["node"])
    return [*found, *(replace(each, text=f"{_named(names)}: {each.text}") for each, names in nodes.items())]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"{', '.join(names[:FEW])}{more}"


def in_repository(file: str) -> str:
    """A file as forges call it: from the folder where the job runs, without `./`."""
    return normpath(file) if file else ""


def _command(each: Annotation) -> str:
    """`::warning file=network.yaml,line=3,col=5::...`: whatever the text holds, it is one command and no other."""
    file = "" if each.file == STDIN else in_repository(each.file)
    line, column = each.position if each.position and file else ("", "")
    said = {"file": file, "line": f"{line}", "col": f"{column}", "title": each.title}
    properties = ",".join(f"{name}={_property(value)}" for name, value in said.items() if value)
    return f"::{each.level}{f' {properties}' if properties else ''}::{_escaped(each.text)}"


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return harmless(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
