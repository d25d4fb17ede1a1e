"""How much work the simulated node's file is."""

from __future__ import annotations

from sim_file import HOST, parse
from work import growth

from pvenet.sim import interfaces


def _file(count: int) -> str:
    bridges = (
        f"auto vmbr{i}\niface vmbr{i} inet static\n\taddress 10.{i // 250}.{i % 250}.1/24\n\tbridge-ports ens{i}\n"
        f"\tbridge-stp off\n\tbridge-fd 0\n#bridge {i}\n\n"
        for i in range(count // 2)
    )
    return "".join(f"iface ens{i} inet manual\n\n" for i in range(count // 2)) + "".join(bridges)


def _handled(count: int) -> None:
    text = _file(count)
    parsed = parse(text)
    new = interfaces.create(parsed, {"iface": "bond0", "type": "bond", "autostart": 1}, HOST)
    assert interfaces.changes(text, new)
    assert len(interfaces.listing(parsed)) >= count


def test_the_work_grows_with_the_file() -> None:
    """Ten times the interfaces are ten times the work to read, write and compare; `scripts/bench` has the seconds."""
    assert growth(_handled, 50) < 12
