from __future__ import annotations

import pytest

from bot.staff import charts
from bot.staff.charts import HEIGHT, TOP, Series


def test_bars_stand_on_each_other_and_the_highest_line_is_above_them() -> None:
    chart = charts.columns(["a", "b"], [Series("x", "X", [3, 0]), Series("y", "Y", [4, 2])])
    first, second, third = chart.bars
    assert first.y + first.height == pytest.approx(TOP + HEIGHT)
    assert second.y + second.height == pytest.approx(first.y)
    assert third.y + third.height == pytest.approx(TOP + HEIGHT)
    assert second.height / third.height == pytest.approx(2, rel=0.01)
    assert chart.lines[-1][1] == 8 and chart.lines[0] == (TOP + HEIGHT, 0)
    assert second.title == "a: Y 4"


def test_nothing_to_show_is_empty() -> None:
    assert charts.columns(["a"], [Series("x", "X", [0])]).is_empty
    assert charts.columns([], []).is_empty


@pytest.mark.parametrize("highest", [1, 4, 7, 9, 10, 37, 99, 1234, 98765])
def test_lines_are_few_and_round(highest: int) -> None:
    lines = [value for _, value in charts.columns(["a"], [Series("x", "X", [highest])]).lines]
    assert 2 <= len(lines) <= 6 and lines[-1] >= highest
    assert str(lines[1]).rstrip("0") in ("1", "2", "5")


def test_labels_are_few_and_stay_inside() -> None:
    ticks = charts.columns([str(n) for n in range(366)], [Series("x", "X", [1] * 366)]).ticks
    assert [anchor for _, anchor, _ in ticks] == ["start", "middle", "middle", "middle", "end"]
    assert ticks[0][2] == "0" and ticks[-1][2] == "365" and all(0 <= x <= 100 for x, _, _ in ticks)
