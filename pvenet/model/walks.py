"""Ways through a network, up and down, and those that lead back to where they began."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.model.network import Network


def downward(names: Iterable[str], network: Network) -> list[str]:
    """The names and everything beneath them, from the top down, each once."""
    found = dict.fromkeys(names)
    waiting = list(found)
    for name in waiting:  # it grows while it is walked
        for carrier in network.carriers.get(name, ()):
            if carrier not in found:
                found[carrier] = None
                waiting.append(carrier)
    return waiting


def upward(names: Iterable[str], network: Network) -> set[str]:
    """The names and everything that has one of them beneath it, as `downward` goes."""
    found = set(names)
    waiting = list(found)
    for name in waiting:  # it grows while it is walked
        for user in network.carried.get(name, ()):
            if user not in found:
                found.add(user)
                waiting.append(user)
    return found


def on_circles(network: Network) -> frozenset[str]:
    """The names that stand on themselves, or between two that do."""
    below = {name: network.interfaces.keys() & supported for name, supported in network.supports.items()}
    above: dict[str, set[str]] = {name: set() for name in below}
    for name, supported in below.items():
        for support in supported:
            above[support].add(name)
    left = _unpeeled(below, above)
    return frozenset(left & _unpeeled(above, below)) if left else frozenset()


def _unpeeled(needs: Mapping[str, set[str]], needed: Mapping[str, set[str]]) -> set[str]:
    """What is left when everything that needs nothing that is left has been taken away."""
    counts = {name: len(names) for name, names in needs.items()}
    free = [name for name, count in counts.items() if not count]
    for name in free:  # it grows while it is walked
        for other in needed[name]:
            counts[other] -= 1
            if not counts[other]:
                free.append(other)
    return counts.keys() - set(free)
