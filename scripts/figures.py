"""How big the house is: modules and lines, the longest import chain, import circles, lengths of functions.

Imports inside functions count, those under `if TYPE_CHECKING:` only where it is said. In a chain a circle counts as one
module; a package's own `__init__`, which passes on what its modules have, and `__main__` count as none. The figures are
smell detectors: one that grows is a question.
"""

from __future__ import annotations

import argparse
import ast
import math
import statistics
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Graph = Mapping[str, frozenset[str]]
    """Names of modules, and of those that each imports."""

PACKAGE = Path(__file__).parent.parent / "pvenet"


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file of a package."""

    part: str
    """The folder or module right below the package that it belongs to."""
    lines: int
    bodies: tuple[int, ...]
    """Lines of the body of each function, its docstring apart."""
    imports: frozenset[str]
    """Dotted names that it imports when it runs: modules, and things in them."""
    typing: frozenset[str]
    """Those that it imports for type checkers alone."""


def read(package: Path) -> dict[str, Module]:
    """The modules of a package by their dotted names."""
    return {_dotted(path, package): _module(path, package) for path in sorted(package.rglob("*.py"))}


def _dotted(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module(path: Path, package: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_type_checking(node.test)]
    guarded = frozenset(name for guard in guards for each in guard.body for name in _imported(each))
    behind = {id(node) for guard in guards for each in guard.body for node in ast.walk(each)}
    first = path.relative_to(package).parts[0]
    return Module(
        part=first.removesuffix(".py"),
        lines=text.count("\n"),
        bodies=tuple(
            _body(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        imports=frozenset(name for node in ast.walk(tree) if id(node) not in behind for name in _named(node)),
        typing=guarded,
    )


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from _named(node)


def _named(node: ast.AST) -> Iterator[str]:
    """What one import statement names; nothing for any other node."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    statements = function.body
    if ast.get_docstring(function) is not None:
        statements = statements[1:]
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def graph(modules: Mapping[str, Module], *, typing: bool = False) -> dict[str, frozenset[str]]:
    """Who imports whom among the modules; with `typing`, also for type checkers alone."""
    return {
        name: frozenset(
            target
            for each in module.imports | (module.typing if typing else frozenset())
            if (target := _target(each, modules)) and target != name
        )
        for name, module in modules.items()
        if not name.endswith(".__main__")
    }


def _target(name: str, modules: Mapping[str, Module]) -> str | None:
    """The module that a dotted name is, or stands in."""
    if name in modules:
        return name
    inside = name.rpartition(".")[0]
    return inside if inside in modules else None


def reached(start: str, imports: Graph) -> frozenset[str]:
    """What a module imports, directly or not; itself where it is in a circle."""
    found: set[str] = set()
    todo = [start]
    while todo:
        for name in imports[todo.pop()] - found:
            found.add(name)
            todo.append(name)
    return frozenset(found)


def circles(imports: Graph) -> list[frozenset[str]]:
    """Modules that import each other, directly or not."""
    reach = {name: reached(name, imports) for name in imports}
    found = {frozenset(other for other in reach[name] if name in reach[other]) for name in imports}
    return sorted((circle for circle in found if circle), key=sorted)


def longest_chain(imports: Graph) -> list[str]:
    """The longest way along imports, from the top; a circle is one step, its names joined by ` <-> `."""
    home = {name: frozenset({name}) for name in imports}
    home.update({name: circle for circle in circles(imports) for name in circle})
    packages = {name.rpartition(".")[0] for name in imports}

    @cache
    def below(step: frozenset[str]) -> tuple[frozenset[str], ...]:
        others = {home[target] for name in step for target in imports[name]} - {step}
        rest = max((below(each) for each in sorted(others, key=sorted)), key=len, default=())
        return rest if step <= packages else (step, *rest)

    chain = max((below(step) for step in sorted(set(home.values()), key=sorted)), key=len, default=())
    return [" <-> ".join(sorted(step)) for step in chain]


def percentile(values: list[int], share: float) -> int:
    """The smallest of the values that at least this share of them does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def report(modules: Mapping[str, Module]) -> Iterator[str]:
    """The figures, a line each."""
    yield f"{'part':<12} modules  lines"
    lines = Counter[str]()
    for module in modules.values():
        lines[module.part] += module.lines
    count = Counter(module.part for module in modules.values())
    for part in sorted(count):
        yield f"{part:<12} {count[part]:>7} {lines[part]:>6}"
    yield f"{'all':<12} {len(modules):>7} {lines.total():>6}"
    yield ""
    chain = longest_chain(graph(modules))
    yield f"longest import chain: {len(chain)}"
    yield from (f"  {step}" for step in chain)
    for words, typing in (("import circles", False), ("import circles, typing counted", True)):
        found = circles(graph(modules, typing=typing))
        yield f"{words}: {len(found)}"
        yield from (f"  {' <-> '.join(sorted(circle))}" for circle in found)
    bodies = [body for module in modules.values() for body in module.bodies]
    yield f"function bodies: median {statistics.median(bodies):g}, 90th percentile {percentile(bodies, 0.9)} lines"
    largest = max(modules, key=lambda name: modules[name].lines)
    yield f"largest module: {largest}, {modules[largest].lines} lines"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", nargs="?", type=Path, default=PACKAGE, help="the folder of a package [pvenet]")
    print("\n".join(report(read(parser.parse_args().package.resolve()))))


if __name__ == "__main__":
    main()
