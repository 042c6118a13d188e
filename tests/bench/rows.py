# SPDX-License-Identifier: BSD-2-Clause
"""
The table of goals: a row is what must be reached, what was measured and how sure that is.

Invariant: a row without a measured value is not met. Must not know: how it was measured.
"""
import dataclasses
import textwrap

WIDTH = 100
COLUMNS = (50, 12, 11, 18, 3) # what, goal, measured, spread, met


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table. notes: what stands below it; raw: what --json has besides."""
    id: str
    what: str
    goal: str
    measured: str
    spread: str
    met: bool
    notes: tuple = ()
    raw: dict = dataclasses.field(default_factory=dict)

    def json(self):
        return {key: getattr(self, key) for key in ("id", "what", "goal", "measured", "spread", "met")} | {
            "notes": list(self.notes), **self.raw}


def at_most(identity, what, limit, unit, figure, digits=2, **more):
    """A row whose median must not be over a limit."""
    median, spread = figure.text(digits)
    return Row(identity, what, f"<= {limit:g} {unit}".strip(), f"{median} {unit}".strip(), spread,
               figure.median <= limit, raw={"figure": figure.json(), **more.pop("raw", {})}, **more)


def cells(texts):
    lines = [textwrap.wrap(text, width) or [""] for text, width in zip(texts, COLUMNS)]
    for at in range(max(map(len, lines))):
        yield " ".join((line[at] if at < len(line) else "").ljust(width)
                       for line, width in zip(lines, COLUMNS)).rstrip()


def table(rows):
    """Lines of at most WIDTH columns."""
    yield from cells(("what", "goal", "measured", "spread, 95 %", "met"))
    yield "-" * WIDTH
    for row in rows:
        yield from cells((row.what, row.goal, row.measured, row.spread, "yes" if row.met else "NO"))
    for row in rows:
        if row.notes:
            yield ""
            yield f"{row.id}:"
        for note in row.notes:
            yield from textwrap.wrap(note, WIDTH, initial_indent="  ", subsequent_indent="    ")
