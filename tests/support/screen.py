"""A terminal as far as pvenet and rich use one: what stands on it in the end, with its colours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COLOURS = {"1": "bold", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
TOKEN = re.compile(r"\x1b\[(?P<numbers>[?\d;]*)(?P<end>[A-Za-z])|(?P<letter>.)", re.DOTALL)


@dataclass
class Screen:
    """Rows of letters with their colours, which grow without end; and where the next letter goes."""

    columns: int
    rows: list[list[tuple[str, str]]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0
    colour: str = ""

    def write(self, text: str) -> None:
        """Raises ValueError for a sequence that is not known here."""
        for token in TOKEN.finditer(text):
            if token["letter"] is None:
                self._control(token["numbers"], token["end"])
            else:
                self._letter(token["letter"])

    def _letter(self, letter: str) -> None:
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self._down()
        elif letter == "\t":
            self.column += 8 - self.column % 8
        elif letter.isprintable():
            if self.column == self.columns:
                self._down()
                self.column = 0
            row = self.rows[self.row]
            row.extend([(" ", "")] * (self.column + 1 - len(row)))
            row[self.column] = (letter, self.colour)
            self.column += 1
        else:
            raise ValueError(f"the terminal does not know {letter!r}")

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append([])

    def _control(self, numbers: str, end: str) -> None:
        match end:
            case "m":
                self.colour = next((COLOURS[each] for each in numbers.split(";") if each in COLOURS), "")
            case "A":
                self.row = max(0, self.row - int(numbers or 1))
            case "G":
                self.column = int(numbers or 1) - 1
            case "K":
                self.rows[self.row] = [] if numbers == "2" else self.rows[self.row][: self.column]
            case "h" | "l" if numbers == "?25":  # whether the cursor is seen
                pass
            case _:
                raise ValueError(f"the terminal does not know {numbers}{end}")

    def lines(self) -> list[list[tuple[str, str]]]:
        """The rows in pieces of one colour, without what is empty at their ends."""
        rows = [_pieces(row) for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def _pieces(row: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    for letter, colour in row:
        if pieces and pieces[-1][1] == colour:
            pieces[-1] = (pieces[-1][0] + letter, colour)
        else:
            pieces.append((letter, colour))
    if pieces:
        pieces[-1] = (pieces[-1][0].rstrip(), pieces[-1][1])
    return [piece for piece in pieces if piece[0]]
