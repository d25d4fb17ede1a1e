"""How long the simulated node's file takes."""

from __future__ import annotations

import time

from sim_file import HOST, parse

from pvenet.sim import interfaces


def _file(count: int) -> str:
    bridges = (
        f"auto vmbr{i}\niface vmbr{i} inet static\n\taddress 10.{i // 250}.{i % 250}.1/24\n\tbridge-ports ens{i}\n"
        f"\tbridge-stp off\n\tbridge-fd 0\n#bridge {i}\n\n"
        for i in range(count // 2)
    )
    return "".join(f"iface ens{i} inet manual\n\n" for i in range(count // 2)) + "".join(bridges)


def _seconds(count: int) -> float:
    text = _file(count)
    began = time.perf_counter()
    parsed = parse(text)
    new = interfaces.create(parsed, {"iface": "bond0", "type": "bond", "autostart": 1}, HOST)
    assert interfaces.changes(text, new)
    assert len(interfaces.listing(parsed)) >= count
    return time.perf_counter() - began


def test_time_grows_with_the_file() -> None:
    """A file of 1,000 interfaces is read, written and compared in well under a second, and time grows linearly."""
    small, large = (min(_seconds(count) for _ in range(3)) for count in (100, 1000))
    assert large < 0.5
    assert large < small * 30
