"""Several clusters, by the profiles that lead there: which of them has which node, asked once, of all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cluster import names
from pvenet.fleet.parallel import AT_ONCE
from pvenet.parallel import once, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.connection import Connection


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the places have answered."""

    homes: Mapping[str, tuple[str, ...]]
    """The profiles whose place has a node of this name."""
    silent: Mapping[str, errors.PvenetError]
    """Why a place did not say which nodes it has, by its profile."""


class Places:
    """Connections by profile. Nothing is asked before the first wants to know."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self.connections = connections
        self._heard = once(self._ask)

    @property
    def silent(self) -> Mapping[str, errors.PvenetError]:
        """Why places did not say which nodes they have, by profile."""
        return self._heard().silent

    def names(self) -> tuple[str, ...]:
        """The nodes of all places that have answered. Raises what stands against it where none has."""
        heard = self._heard()
        if len(heard.silent) == len(self.connections):
            raise self._unheard()
        return tuple(sorted(heard.homes))

    def of(self, name: str) -> Connection | None:
        """Where a node is; None where no place that has answered has it. Raises UsageError where it is in two."""
        self.refuse_ambiguous((name,))
        homes = self._heard().homes.get(name, ())
        return self.connections[homes[0]] if homes else None

    def lost(self, name: str) -> errors.PvenetError | None:
        """Why nobody knows of a node: no place that has answered has it, and others are silent."""
        heard = self._heard()
        return self._unheard() if heard.silent and name not in heard.homes else None

    def is_ambiguous(self, name: str) -> bool:
        """Whether nodes of two places have a name."""
        return len(self._heard().homes.get(name, ())) > 1

    def refuse_ambiguous(self, wanted: Iterable[str]) -> None:
        """Raises UsageError for a name that nodes of two places have."""
        homes = self._heard().homes
        for name in wanted:
            if len(found := homes.get(name, ())) > 1:
                raise errors.UsageError(
                    f"{name} is the name of a node in {len(found)} places, by the profiles {' and '.join(found)}",
                    hint="name one of these profiles with --profile, or other nodes with --node",
                )

    def _ask(self) -> Heard:
        homes: dict[str, list[str]] = {}
        silent: dict[str, errors.PvenetError] = {}
        answers = dict(together(tuple(self.connections), lambda name: names(self.connections[name]), at_once=AT_ONCE))
        for profile in self.connections:  # in their order, whichever answers first
            answer = answers[profile]
            if isinstance(answer, errors.PvenetError):
                silent[profile] = answer
                continue
            for name in answer:
                homes.setdefault(name, []).append(profile)
        return Heard(homes={name: tuple(found) for name, found in homes.items()}, silent=silent)

    def _unheard(self) -> errors.PvenetError:
        """Why the silent places are; what can't be skipped first, as a node may be at any of them."""
        silent = self._heard().silent
        worst = min(silent.values(), key=is_away)
        return worst.with_message("\n  ".join(told(profile, error) for profile, error in silent.items()))


def told(profile: str, error: errors.PvenetError) -> str:
    """Why a place is silent, with its profile."""
    return f"profile {profile}: {error.message}"


def is_away(error: errors.PvenetError) -> bool:
    """Whether nobody answers, rather than somebody whom nobody knows, or who refuses."""
    return isinstance(error, errors.Unreachable) and not isinstance(error, errors.Untrusted | errors.NotPVE)
