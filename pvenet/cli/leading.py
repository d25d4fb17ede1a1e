"""Commands within a text, so that they lead to where this command line went.

A hint says `pvenet apply`; whoever typed `--profile`, `--sim` or `--node` has to say it again, or would meet another
node. What the environment or the only profile says holds for the next command line by itself.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pvenet.settings.read import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.settings import Options

_COMMAND = re.compile(r"`pvenet (?P<command>[a-z][^`]*)`")
_NOWHERE = re.compile(r"(?:check|config|help|login|logout|plan show|schema|sim)\b|.* --(?:help|version)\b")
"""Commands that go nowhere."""


def leading(text: str, options: Options, node: str = "") -> str:
    """The text, whose commands have the options that said where this one goes.

    `node`: whom the text is about, where the command line is about several.
    """
    return _COMMAND.sub(lambda found: f"`pvenet {_led(found['command'], options, node)}`", text)


def _led(command: str, options: Options, node: str) -> str:
    if _NOWHERE.match(command):
        return command
    where = [f"{option} {shlex.quote(value)}" for option, value in _where(options, node) if not _says(command, option)]
    return " ".join([command, *where])


def _says(command: str, option: str) -> bool:
    """Whether a command says it already; a rollout has nodes of its own."""
    return option in command.split() or (option == "--node" and "--rollout" in command.split())


def _where(options: Options, node: str) -> Iterator[tuple[str, str]]:
    if options.profile:
        yield "--profile", options.profile
    if options.endpoint:
        yield "--endpoint", ",".join(options.endpoint)
    if options.sim:
        yield "--sim", str(options.sim)
    if options.state_dir:
        yield "--state-dir", str(options.state_dir)
    named = options.node or ""
    alone = named if named != ALL and not re.search(r"[,\s]", named) else ""
    if node or alone:
        yield "--node", node or alone
