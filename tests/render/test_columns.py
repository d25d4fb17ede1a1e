"""A table fits its terminal, and loses nothing but the end of what is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pvenet import wire
from pvenet.changes.pending import PendingView
from pvenet.render.columns import broken, fitted
from pvenet.render.network import table
from pvenet.render.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = ("name", "address", "on", "comments")
V6 = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff/128"
NAMES = st.text("abc0", min_size=1, max_size=15)
ROWS = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from(["", "192.0.2.1/24", f"192.0.2.1/24 {V6}"]),
        st.lists(NAMES, max_size=30).map(" ".join),
        st.text("wide 漢\t\n", max_size=60),
    ),
    min_size=1,
    max_size=6,
)


@given(ROWS, st.integers(min_value=50, max_value=160))
def test_no_line_is_wider_than_its_terminal(rows: Sequence[tuple[str, ...]], width: int) -> None:
    """And each name, address and port is shown, beneath its row where it has no room beside it."""
    text = fitted(HEAD, rows, width, plain, wraps=("address", "on"), cuts="comments")
    for line in text.splitlines():
        assert sum(2 if letter == "漢" else 1 for letter in line) <= width, text
    shown = text.replace(",", " ").split()
    for name, address, on, _ in rows:
        assert {name, *address.split(), *on.split()} <= set(shown)


@given(ROWS)
def test_a_pipe_has_a_line_a_row(rows: Sequence[tuple[str, ...]]) -> None:
    """Nothing is cut, and a column that is empty is none."""
    text = fitted(HEAD, rows, None, plain, wraps=("address", "on"), cuts="comments")
    head, *lines = text.split("\n")
    assert len(lines) == len(rows)
    assert head.split() == [name for at, name in enumerate(HEAD) if any(row[at] for row in rows)]
    for row, line in zip(rows, lines, strict=True):
        assert all(cell.strip() in line for cell in row[:3])


def test_room_that_saves_no_line_is_the_comments() -> None:
    """Two addresses stand beneath one another in no more than they need; ports that fit have their one line."""
    row = ("vmbr0", f"192.0.2.1/24 {V6}", "ens33 ens37", "for management, and nothing else")
    text = fitted(HEAD, [row], 90, plain, wraps=("address", "on"), cuts="comments")
    assert text.split("\n")[1:] == [
        f"vmbr0  192.0.2.1/24{'':30}  ens33 ens37  for management, and not...",
        f"       {V6}",
    ]


def test_a_column_is_as_wide_as_its_lines() -> None:
    """What is broken before the edge of its column leaves no gap behind it."""
    rows = [("a" * 20 + " " + "b" * 30, "one"), ("c", "two")]
    text = fitted(("what", "how"), rows, 50, plain, wraps=("what",))
    assert text.split("\n")[1:] == [f"{'a' * 20}{'':10}  one", "b" * 30, f"c{'':29}  two"]


@given(st.text("ab ,", max_size=80), st.integers(min_value=5, max_value=30))
def test_a_value_is_broken_behind_blanks_and_commas(text: str, room: int) -> None:
    """Nothing of it is lost but blanks at the ends of lines, and a line is only too long for one word."""
    lines = broken(text, room)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= room or not set(line.rstrip(", ")) & set(" ,") for line in lines)


def test_a_hostile_node_fits_eighty_columns() -> None:
    """The longest names, many ports, two families and two gateways in full, a long comment."""
    ports = " ".join(f"enp{number}s0f0np{number}" for number in range(12))
    entry: dict[str, object] = {
        "iface": "vmbr4094.management"[:15],
        "type": "bridge",
        "method": "static",
        "method6": "static",
        "families": ["inet", "inet6"],
        "autostart": 1,
        "bridge_ports": ports,
        "cidr": "192.168.171.121/24",
        "gateway": "192.168.171.254",
        "cidr6": V6,
        "gateway6": V6.partition("/")[0].replace("ffff", "fffe"),
        "comments": "a comment that says a lot " * 9,
    }
    text = table(PendingView(network=wire.network([entry])), 80, plain)
    assert max(map(len, text.splitlines())) <= 80
    assert all(word in text for word in (*ports.split(), "192.168.171.121/24", V6, "192.168.171.254"))
