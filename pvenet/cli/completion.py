"""What a shell offers at a TAB: names for options and arguments, in bash, zsh and fish as Typer makes it.

The rule: nothing is sent. A list that is asked for while a reload runs freezes flags (pve-api#never-list), and whoever
presses TAB does not know of one; besides, a secret would have to be asked for, or a command be run that prints it. So
the names come from `pvenet.recent`, which has what commands met in the last minutes; of a simulated node from its
files, of which no lock is taken. Where there is none, or anything fails, nothing is offered and nothing is said.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import typer

from pvenet.cli.unfinished import Line

if TYPE_CHECKING:
    from collections.abc import Container

    from pvenet import edit
    from pvenet.cli.unfinished import Named

Offer: TypeAlias = str | tuple[str, str]
"""A word, perhaps with what it is about, which zsh and fish show."""
Find: TypeAlias = Callable[[Line], Iterable[Offer]]
Complete: TypeAlias = Callable[[typer.Context, str], Sequence[Offer]]
"""What Typer takes as `autocompletion`."""

SECONDS = 1.0
"""How long finding words may take: a folder may lie on a disk that does not answer, a file may be a pipe."""
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*[@=]?")
"""What is offered: a shell evaluates what it is handed, and bash takes a word apart at colons."""


_VARIABLE = "_PVENET_COMPLETE"
"""By which a shell asks, as Typer has it."""
_BREAKS = re.compile("[=:@]+")
"""Where bash takes a word apart; alone, such a sign is no word of pvenet's."""


def asked() -> bool:
    """Whether a shell asks for completions now; then the words are put together again that bash has taken apart."""
    if not os.environ.get(_VARIABLE, "").startswith("complete_"):
        return False
    with suppress(KeyError, ValueError, IndexError):
        words, current = whole_words(os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"]))
        os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": f"{current}"}
    return True


def before_cursor() -> list[str]:
    """The words before the one that is to be completed; none where the shell hands over what can't be read."""
    with suppress(KeyError, ValueError):
        if "COMP_WORDS" in os.environ:
            return os.environ["COMP_WORDS"].split("\n")[1 : int(os.environ["COMP_CWORD"])]
        text = os.environ["_TYPER_COMPLETE_ARGS"]
        found = shlex.split(text)[1:]
        return found if text.endswith(" ") else found[:-1]
    return []


def whole_words(words: Sequence[str], current: int) -> tuple[list[str], int]:
    """`--sim`, `=`, `lab` as the one word that was typed, with the number of the one that the cursor is in."""
    found: list[str] = []
    at, glued = current, False
    for number, word in enumerate(words):
        sign = bool(_BREAKS.fullmatch(word)) and number > 0
        if sign or (glued and number <= current):
            found[-1] += word
        else:
            found.append(word)
        if number == current:
            at = len(found) - 1
        glued = sign
    return found, at


def one(find: Find) -> Complete:
    """Completes a word."""

    def complete(context: typer.Context, incomplete: str) -> Sequence[Offer]:  # noqa: ARG001 - Typer compares
        return _found(find, Line(context))

    return complete


def several(option: str, find: Find) -> Complete:
    """Completes the last word of a list with commas, with what the option has not been given yet."""

    def complete(context: typer.Context, incomplete: str) -> Sequence[Offer]:
        line = Line(context)
        before, comma, _ = incomplete.rpartition(",")
        given = {*before.split(","), *line.given(option)}
        return [_after(before + comma, offer) for offer in _found(find, line) if _word(offer) not in given]

    return complete


def fixed(*offers: Offer) -> Find:
    """Words that are the same everywhere."""
    return lambda _: offers


# --- what is found ---------------------------------------------------------------------------------------------------


def interfaces(*kinds: str) -> Find:
    """The interfaces of these kinds, by PVE's words; of every kind where none is named."""
    return lambda line: [each.name for each in line.interfaces.values() if not kinds or each.type in kinds]


def free(*kinds: str) -> Find:
    """The interfaces of these kinds that can become a slave or a port of the one that the line names."""

    def find(line: Line) -> Iterable[str]:
        taken = {port for each in line.interfaces.values() if each.name != line.named for port in each.ports}
        return [
            each.name
            for each in line.interfaces.values()
            if each.type in kinds and each.name not in taken and not each.addressed
        ]

    return find


def ovs_ports(line: Line) -> Iterable[Offer]:
    """What an OVS bridge may list: free NICs, and what is on it already, as only itself brings a port of its own in."""
    return dict.fromkeys([*line.ports, *free("eth")(line)])


def members(line: Line) -> Iterable[str]:
    """The slaves or ports that the interface has that the line names."""
    return line.ports


def slaves(line: Line) -> Iterable[str]:
    """The slaves of the bond that the line names: those that it gives it, else those it has."""
    return line.given("slaves") or line.ports


def raw_devices(line: Line) -> Iterable[str]:
    """What a VLAN can sit on: NICs that are nobody's slave or port, bonds, bridges."""
    found = line.interfaces.values()
    taken = {port for each in found for port in each.ports}
    return [each.name for each in found if each.type in ("bond", "bridge") or _is_free_nic(each, taken)]


def _is_free_nic(interface: Named, taken: Container[str]) -> bool:
    return interface.type == "eth" and interface.name not in taken


def clearable(kind: edit.Kind) -> Find:
    """The fields that can be cleared on a kind."""

    def find(_: Line) -> Iterable[str]:
        from pvenet.edit import NOT_CLEARABLE
        from pvenet.model import settable

        return [name.replace("_", "-") for name in settable(kind) if name not in NOT_CLEARABLE]

    return find


def nodes(line: Line) -> Iterable[str]:
    """The nodes of the place."""
    return line.nodes()


def profiles(_: Line) -> Iterable[str]:
    """The profiles of the configuration file and beside it."""
    from pvenet.settings.profiles import known_profiles

    return known_profiles(os.environ)


def journals(line: Line) -> Iterable[str]:
    """The journals of the node that the line is about, youngest first; without more, as zsh would load rich for it."""
    from pvenet.cli.journal_names import journals_at

    node = line.node()
    found = journals_at(line.settings, node) if node else ()
    return [each.id for each in reversed(found)]


def rollouts(line: Line) -> Iterable[str]:
    """The rollouts that are kept, youngest first."""
    from pvenet.fleet.book import Rollouts

    return [each.id for each in reversed(Rollouts(line.settings.state_dir).all())]


def faults(_: Line) -> Iterable[str]:
    """What --fault can let go wrong; where is said behind it."""
    from pvenet.cli.fault_names import FAULTS

    return FAULTS


def rules(_: Line) -> Iterable[Offer]:
    """The rules of `pvenet lint`, each with its summary."""
    from pvenet.lint import RULES

    return [(rule.name, rule.summary) for rule in RULES.values()]


def topics(_: Line) -> Iterable[Offer]:
    """What `pvenet help` has: its pages, each with its title, and the commands."""
    from pvenet.cli import pages
    from pvenet.cli.help import HEADINGS

    return [*pages.topics().items(), *(name for names in HEADINGS.values() for name in names)]


# --- beneath ---------------------------------------------------------------------------------------------------------


def _word(offer: Offer) -> str:
    return offer if isinstance(offer, str) else offer[0]


def _after(before: str, offer: Offer) -> Offer:
    return before + offer if isinstance(offer, str) else (before + offer[0], offer[1])


def _found(find: Find, line: Line) -> list[Offer]:
    """What is found within the time; nothing where anything fails."""
    with suppress(Exception), _in_time():
        return [offer for offer in find(line) if _HARMLESS.fullmatch(_word(offer))]
    return []


@contextmanager
def _in_time() -> Iterator[None]:
    """Raises TimeoutError in what takes too long."""

    def end(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
