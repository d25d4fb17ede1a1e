"""How one command line answers: as text, or as data that a program reads; and how an error stands there instead.

With data stdout has one document, or a stream of events whose last one is the end, also where the command line itself
is wrong: so what is wanted is told from its words before they are parsed, and then from what the parser made of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pvenet.cli.output import out, stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pvenet import errors
    from pvenet.settings import Options

FORMATS = ("table", "json", "yaml")
"""What every command can print; `text` is another word for `table`."""
SYNONYMS = {"text": "table"}
FORGED = {
    "check": ("github", "gitlab"),
    "plan": ("markdown", "github", "gitlab"),
    "drift": ("markdown", "github", "gitlab"),
}
"""What some commands can print besides, for a forge to show."""
EVERY_FORMAT = tuple(dict.fromkeys([*FORMATS, *SYNONYMS, *(form for forms in FORGED.values() for form in forms)]))
"""What is a format of any command."""
STREAMS = frozenset({"apply", "rollback", "wait"})
"""The commands that answer with events."""
LAST = frozenset({"end", "summary"})
"""The events that end a stream; where there is a summary, each node's end stands before it."""
_HELP = re.compile(r"--help|-\w*h\w*")
"""Also among other options of one letter."""


def formats_of(command: str) -> tuple[str, ...]:
    """The formats of a command, by its words."""
    return (*FORMATS, *FORGED.get(command, ()))


class Answer:
    """What is printed of a command line's result, and how far that has come."""

    def __init__(self, form: str = "table", *, streams: bool = False, before: Options | None = None) -> None:
        self.form = form
        self.streams = streams
        self.before = before
        """The options that stand before the command's name."""
        self.given = before
        """All that say where the command goes, once they are read."""
        self.rollout = False
        """The stream is that of many nodes, which a summary ends."""
        self._done = False

    @property
    def as_data(self) -> bool:
        """Whether a program reads it, as JSON or YAML."""
        return self.form in ("json", "yaml")

    def data(self, data: object) -> None:
        """The whole answer. Raises PvenetError where it can't be written, BrokenPipeError where nobody reads."""
        self._done = True
        out(self._text(data), json=self.form == "json")

    def text(self, text: str) -> None:
        """An answer that is a text in any format; nothing is printed of an empty one. Raises as `data` does."""
        self._done = True
        if text:
            out(text, json=self.form == "gitlab")  # whose reports are JSON

    def line(self, data: object) -> None:
        """The same on one line, for whoever reads on while the command runs."""
        self._done = True
        out(self._line(data), json=self.form == "json")

    def event(self, data: Mapping[str, Any]) -> bool:
        """One event of a stream, with the time; whether it could be written. Nothing stops for it."""
        self._done = data["event"] == ("summary" if self.rollout else "end")
        return stream(self._line(stamped(data)), json=self.form == "json")

    def failed(self, error: errors.PvenetError) -> None:
        """The error in place of the answer; nothing where that was given, which says itself what is wrong."""
        if self._done or self.form == "table" or not error.message:
            return
        from pvenet.render.events import error_data, failed_data

        if not self.as_data:
            from pvenet.render.forges import failed_form

            if text := failed_form(self.form, error):
                stream(text, json=self.form == "gitlab")
        elif self.streams:
            self.event(failed_data(error, rollout=self.rollout))
        else:
            stream(self._text(error_data(error)), json=self.form == "json")

    def _text(self, data: object) -> str:
        from pvenet.render.values import as_json
        from pvenet.render.yaml import as_yaml

        return as_json(data) if self.form == "json" else as_yaml(data)

    def _line(self, data: object) -> str:
        from pvenet.render.values import as_line
        from pvenet.render.yaml import as_yaml

        return as_line(data) if self.form == "json" else f"---\n{as_yaml(data)}"


def stamped(data: Mapping[str, Any]) -> dict[str, Any]:
    """An event with the time at which it is told."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"event": data["event"], "node": None, "at": at, **{key: data[key] for key in data if key != "event"}}


def foreseen(words: Sequence[str], valued: Collection[str]) -> Answer:
    """How a command line wants its answer, as far as its words tell; the parser may yet find fault with them.

    `valued`: the options before the command's name that take a value.
    """
    words = words[: words.index("--")] if "--" in words else words
    command = command_of(words, valued)
    form = "table"
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        value = value if equals else " ".join(words[at + 1 : at + 2])
        if word == "--json":
            form = "json"
        elif name == "--format" and SYNONYMS.get(value, value) in formats_of(command):
            form = SYNONYMS.get(value, value)
    return Answer(form, streams=command in STREAMS)


def command_of(words: Sequence[str], valued: Collection[str]) -> str:
    """The first word that is neither an option nor an option's value; none where help is asked for before it."""
    skips = False
    for word in words:
        if skips:
            skips = False
        elif not word.startswith("-"):
            return word
        elif _HELP.fullmatch(word):
            return ""
        else:
            skips = word in valued
    return ""
