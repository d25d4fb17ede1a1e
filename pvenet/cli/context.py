"""What a command works with: its options, the node and the journals they lead to, and one way to answer."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from pvenet import errors
from pvenet.cli.answer import Answer
from pvenet.cli.leading import leading
from pvenet.cli.output import LIVE, give_up, in_lines, lively, on_terminal, out, say, stream, warn
from pvenet.cli.place import Place
from pvenet.foreign import one_line
from pvenet.settings.read import node_names
from pvenet.settings.several import agreed, read_places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet.connection import Connection
    from pvenet.fleet.nodes import Fleet
    from pvenet.journal import Journals
    from pvenet.nics.sight import Sight
    from pvenet.node import Node
    from pvenet.seen import Seen
    from pvenet.settings import Options, Settings


class Context:
    """One command line. It connects when the node is first asked for, and hangs up when it is left."""

    def __init__(self, options: Options, answer: Answer | None = None) -> None:
        self.options = options
        self.tells_renames = False
        """The command says by itself which NICs have other names now."""
        self.tells_way_back = False
        """The command says by itself what to do where a change from here has cut a node off."""
        self.leaves = True
        """The command may make the state folder."""
        self.placed = True
        """The command needs a place; one that reads only what is kept here does not."""
        self.answer = answer or Answer(options.form)
        self._held = False

    def hold(self) -> None:
        """Send nothing that changes anything, and write nothing into the state folder: for a dry run."""
        self._held = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        kept = []
        for place in self.places.values() if "places" in vars(self) else ():
            if place.leave():
                kept.append(place)
            if place.seen:
                self._leave(place.seen)
        for place in kept[:1]:  # once for all of them
            place.prune()

    def remember(self, sight: Sight) -> None:
        """Let a node's names be meant as they are."""
        for place in self.places.values():
            if place.connection is self.node.connection:
                place.remember(self.node.name, sight)

    def _leave(self, seen: Seen) -> None:
        """Remember the NICs that were seen, and say which of them the file means by names that they had."""
        sights = seen.sights()
        if not self.tells_renames:
            for node, sight in sights.items():
                for each in sight.gone if sight.renames else ():
                    self.warn(f"{node}: {each.text}")
                if sight.renames:
                    self.say(f"`pvenet renamed --node {node}` plans the change of every stanza that names them")
        if not self._held and (self.leaves or self.settings.state_dir.exists()):
            seen.keep(sights)

    # --- where the command goes ---

    @cached_property
    def _each(self) -> Mapping[str, Settings]:
        """The settings of each place, by profile where several are named. Raises UsageError as `read_places` does."""
        return read_places(self.options, os.environ, placed=self.placed)

    @property
    def settings(self) -> Settings:
        """The settings; of several places those of the first, as far as they are not each place's own."""
        return next(iter(self._each.values()))

    def agreed(self, key: str) -> str:
        """What the settings say of how an apply is done. Raises UsageError where those of several places differ."""
        return agreed(self._each, key)

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Where the command goes, by profile where several are named; a warning where nobody checks who answers."""
        prompt = ask_secret if on_terminal() else None
        watch = LIVE.request if lively() else None
        return {
            name: Place(settings=each, prompt=prompt, debug=self.debug, watch=watch, held=self._held)
            for name, each in self._each.items()
        }

    @property
    def connection(self) -> Connection:
        """The connection to the one place, or to the first of several."""
        return self._connections[0]

    @cached_property
    def _connections(self) -> Sequence[Connection]:
        for name, place in self.places.items():
            if place.settings.unchecked:
                where = f" of {name}" if name else ""
                self.warn(f"the certificate{where} is not checked (--insecure): whoever answers gets the credentials")
        return [place.connection for place in self.places.values()]

    @property
    def debug(self) -> Callable[[str], None] | None:
        """Hears of every request, where that is wanted."""
        return _debug if self.options.debug else None

    @property
    def named(self) -> tuple[str, ...]:
        """The nodes that are named; none where all of them are meant, or nothing is said."""
        return node_names(self.settings.node)

    @cached_property
    def node(self) -> Node:
        """The node that the command is about: the one that is named, or the only one. Raises UsageError."""
        named = self.named
        if len(self.places) > 1:
            from pvenet.fleet.nodes import only_one

            return only_one(self.fleet, named)
        connection = self.connection
        from pvenet.cluster import one
        from pvenet.node import Node

        return Node(connection, one(connection, named))

    @cached_property
    def several(self) -> tuple[str, ...]:
        """The nodes where several are named, or `all`; none where the command is about one.

        Raises UsageError for one that is not there.
        """
        named = self.named
        if len(named) == 1 or not self.settings.node:
            return ()
        fleet = self.fleet
        from pvenet.fleet.nodes import known

        return known(fleet, named)

    @property
    def journals(self) -> Journals:
        """The node's journals."""
        from pvenet.journal import Journals, UnwrittenJournals

        kind = UnwrittenJournals if self._held else Journals
        return kind(self.settings.state_dir, self.node.name)

    @cached_property
    def fleet(self) -> Fleet:
        """All the nodes of the one place, or of several."""
        connection, state_dir = self.connection, self.settings.state_dir
        from pvenet.fleet.nodes import Fleet

        if len(self.places) == 1:
            return Fleet(connection=connection, state_dir=state_dir)
        from pvenet.fleet.places import Places

        places = Places(dict(zip(self.places, self._connections, strict=True)))
        return Fleet(connection=connection, state_dir=state_dir, places=places)

    def pointed(self, error: errors.Unreachable) -> errors.Unreachable:
        """The same error, with what helps where a change from here may have cut the node off."""
        if self.tells_way_back or isinstance(error, errors.Untrusted | errors.NotPVE):
            return error
        from pvenet.cli.cut_off import pointed

        with suppress(errors.PvenetError):  # what is wrong here is no answer to why nobody can be reached
            return pointed(error, self._each.values(), self.named)
        return error

    # --- the answer ---

    def emit(
        self,
        data: object,
        text: str = "",
        *,
        note: str = "",
        forms: Mapping[str, Callable[[], str]] | None = None,
        depth: int | None = 0,
    ) -> None:
        """Answer: with --json the data; else the text on stdout, and the note on stderr unless --quiet.

        `forms`: what stands there instead in the formats that are this command's own. `depth`: the deepest indent of
        the text's lines of talk, which a terminal has broken between words; None for a text that is there to be
        copied. Raises PvenetError where the answer can't be written.
        """
        if forms and self.answer.form in forms:
            self.answer.text(forms[self.answer.form]())
            return
        if self.answer.as_data:
            self.answer.data(data)
            return
        if text:
            out(text if depth is None else in_lines(text, depth))
        if note:
            self.say(note)

    def emit_done(self, data: object, text: str = "", *, note: str = "") -> None:
        """The same of work that is done, which an answer that can't be written does not undo: it is a warning.

        With --quiet the exit code says enough.
        """
        try:
            self.emit(data, "" if self.options.quiet else text, note=note)
        except BrokenPipeError:
            give_up("stdout")
        except errors.PvenetError as error:
            self.warn(f"{error.message}; what the command did remains")

    def emit_event(
        self, event: str, data: Mapping[str, Any], text: str = "", *, note: str = "", depth: int = 0
    ) -> bool:
        """The same in a stream of events, which stops nothing: the data is a line. Whether it could be written."""
        if self.answer.as_data:
            return self.answer.event({"event": event, **data})
        return (not text or stream(in_lines(text, depth))) and (not note or self.say(note))

    def say(self, text: str) -> bool:
        """Talk on stderr, whatever the format of the answer, unless --quiet; whether it could be written."""
        return self.options.quiet or say(self.lead(text))

    def warn(self, text: str) -> None:
        """A warning on stderr."""
        warn(self.lead(text))

    def lead(self, text: str, node: str = "") -> str:
        """A text whose commands lead to where this one goes; `node`: to this node, where it is about several."""
        return leading(text, self.options, node)


def _debug(line: str) -> None:
    """Hears of every request with `--debug`."""
    say(one_line(f"debug: {line}"))


def ask_secret(question: str) -> str:
    """A secret that is typed unseen; empty at the end of input."""
    import getpass

    try:
        return getpass.getpass(one_line(question), stream=sys.stderr)
    except (EOFError, UnicodeDecodeError):
        say("")
        return ""
