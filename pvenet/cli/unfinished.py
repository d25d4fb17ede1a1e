"""A command line that somebody is still typing: what it says so far, and which names are known where it goes."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet.settings import Options
from pvenet.settings.read import node_names
from pvenet.settings.several import read_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Protocol

    import typer

    from pvenet.recent import Recent
    from pvenet.settings import Settings

    class Named(Protocol):
        """An interface, be it one that was met or one of a simulated node."""

        @property
        def name(self) -> str: ...
        @property
        def type(self) -> str: ...
        @property
        def ports(self) -> tuple[str, ...]: ...
        @property
        def addressed(self) -> bool: ...


class Line:
    """What stands before the word that is typed. It sends nothing, and asks nobody for a secret."""

    def __init__(self, context: typer.Context) -> None:
        self._context = context

    def given(self, name: str) -> tuple[str, ...]:
        """The words that an option or an argument has been given so far."""
        value = self._context.params.get(name)
        texts = value if isinstance(value, list | tuple) else [value] if value else []
        return tuple(word for text in texts for word in str(text).replace(",", " ").split())

    @property
    def named(self) -> str:
        """The command's first argument so far; empty where it has none yet.

        Behind an option whose value is being typed Typer has not come to the arguments.
        """
        own = (each.name or "" for each in self._context.command.params if each.param_type_name == "argument")
        return next((f"{value}" for name in own if (value := self._context.params.get(name))), "") or next(
            iter(self._context.args), ""
        )

    @cached_property
    def places(self) -> Sequence[Settings]:
        """Where it goes, by its options and the environment: to one place, or to that of each profile.

        Raises UsageError where nothing says so.
        """
        options = Options()
        for params in self._levels():
            options = _options(params).over(options)
        return (*read_places(options, os.environ).values(),)

    @property
    def settings(self) -> Settings:
        """The settings of the place where its node is, or of the first."""
        node = self.node() if len(self.places) > 1 else ""
        return next((place for place in self.places if node and node in _nodes(place)), self.places[0])

    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes where it goes."""
        return tuple(dict.fromkeys(name for place in self.places for name in _nodes(place)))

    def node(self) -> str:
        """The node that it is about: the one that is named, or the only one; empty where that is not known."""
        named = node_names(self.places[0].node) or tuple(
            name for place in self.places for name in _nodes(place, every=True)
        )
        return named[0] if len(named) == 1 else ""

    @cached_property
    def interfaces(self) -> Mapping[str, Named]:
        """The interfaces of that node, by name; none where they are not known."""
        node, settings = self.node(), self.settings
        found: Sequence[Named] = ()
        if node and settings.sim:
            from pvenet.sim.names import named_in

            found = named_in(settings.sim, node)
        elif node:
            found = _recent(settings).interfaces(node)
        return {each.name: each for each in found}

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports or slaves of the interface that it names."""
        found = self.interfaces.get(self.named)
        return found.ports if found else ()

    def _levels(self) -> Iterator[Mapping[str, Any]]:
        """What was given to `pvenet` itself, then to the command: what stands after wins."""
        levels = [self._context.params]
        above = self._context.parent
        while above:
            levels.append(above.params)
            above = above.parent
        yield from reversed(levels)


def _nodes(place: Settings, *, every: bool = False) -> tuple[str, ...]:
    """The nodes of a place; `every`: only where it is known that these are all."""
    if place.sim:
        from pvenet.sim.names import nodes_in

        return tuple(nodes_in(place.sim))
    recent = _recent(place)
    return recent.all_nodes() if every else recent.nodes()


def _recent(place: Settings) -> Recent:
    from pvenet.recent import Recent

    return Recent(place.state_dir, place.place)


def _options(params: Mapping[str, Any]) -> Options:
    """The options that say where a command goes. A shell hands on a word as it was typed, `~` and `$` included."""
    return Options(
        endpoint=tuple(map(os.path.expandvars, params.get("endpoint") or ())),
        node=",".join(map(os.path.expandvars, params.get("node") or ())) or None,
        sim=_path(params.get("sim")),
        profile=os.path.expandvars(params.get("profile") or "") or None,
        state_dir=_path(params.get("state_dir")),
    )


def _path(given: Path | None) -> Path | None:
    return Path(os.path.expandvars(given)).expanduser() if given else None
