"""Charts as plain numbers, for the macros of `templates/charts.html`: SVG without a script, at any width.

Across, everything is in percent, so that a chart is as wide as its frame and its letters keep their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

TOP, HEIGHT = 20, 220
"""Pixels above the highest bar, and from there down to the axis."""
MOST_TICKS = 5


@dataclass(frozen=True)
class Series:
    """One colour of a chart; `name` is its CSS class, one value for each label."""

    name: str
    title: str
    values: Sequence[int]


@dataclass(frozen=True)
class Bar:
    name: str
    x: float
    """Percent, as is `width`."""
    width: float
    y: float
    """Pixels, as is `height`."""
    height: float
    title: str


@dataclass(frozen=True)
class Columns:
    """Bars that stand on each other, a column for each label."""

    bars: list[Bar]
    lines: list[tuple[float, int]]
    """Where a line goes across, and the number that it stands for."""
    ticks: list[tuple[float, str, str]]
    """Where a label stands below the axis, how it is anchored there, and the label."""
    series: Sequence[Series]
    bottom: int = TOP + HEIGHT

    @property
    def is_empty(self) -> bool:
        return not self.bars


def columns(labels: Sequence[str], series: Sequence[Series]) -> Columns:
    """A chart of some series over the same labels."""
    sums = [sum(each.values[at] for each in series) for at in range(len(labels))]
    step = _step(max(sums, default=0))
    top = step * max(1, ceil(max(sums, default=0) / step))
    slot = 100 / max(1, len(labels))
    bars = []
    for at, label in enumerate(labels):
        base = float(TOP + HEIGHT)
        for each in series:
            height = round(HEIGHT * each.values[at] / top, 1)
            if height:
                base -= height
                title = f"{label}: {each.title} {each.values[at]}"
                bars.append(Bar(each.name, round(slot * (at + 0.1), 3), round(slot * 0.8, 3), base, height, title))
    lines = [(round(TOP + HEIGHT - HEIGHT * value / top, 1), value) for value in range(0, top + 1, step)]
    return Columns(bars, lines, _ticks(labels, slot), series)


def _step(highest: int) -> int:
    """The distance of the lines: 1, 2 or 5 with noughts, about four of them."""
    rough = max(1, highest / 4)
    power = 10 ** int(log10(rough))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))


def _ticks(labels: Sequence[str], slot: float) -> list[tuple[float, str, str]]:
    if len(labels) <= MOST_TICKS:
        chosen = list(range(len(labels)))
    else:
        chosen = [round(number * (len(labels) - 1) / (MOST_TICKS - 1)) for number in range(MOST_TICKS)]
    found = []
    for at in chosen:
        anchor = "start" if at == 0 else "end" if at == len(labels) - 1 else "middle"
        x = {"start": slot * at, "middle": slot * (at + 0.5), "end": slot * (at + 1)}[anchor]
        found.append((round(x if len(labels) > 1 else 50, 3), anchor if len(labels) > 1 else "middle", labels[at]))
    return found
