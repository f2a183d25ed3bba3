"""Every figure of the console against a journal small enough to count by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Optional

import pytest
import sqlalchemy as sa

from bot.journal import thumb, turn
from bot.staff import tally
from bot.staff.tally import FIGURES, OUTCOMES, Slice

# at (UTC), channel, session, kind, procedure, unit, thumb.   23 November in Hà Nội is 22 Nov 17:00 to 23 Nov 17:00 UTC.
JOURNAL: list[tuple[str, str, str, Optional[str], Optional[str], Optional[str], Optional[bool]]] = [
    ("2026-11-22 16:59:59", "web", "a", "procedure", "1.004222", "00004", True),  # 22 Nov, the last second
    ("2026-11-22 17:00:00", "web", "a", "choices", None, None, None),  # 23 Nov, the first second
    ("2026-11-23 03:00:00", "web", "b", "procedure", "1.004222", "00004", True),
    ("2026-11-23 03:00:10", "web", "b", "procedure", "1.004222", "00008", False),
    ("2026-11-23 04:00:00", "telegram", "c", "faq", None, None, None),
    ("2026-11-23 04:01:00", "telegram", "c", "place_needed", "1.001193", None, None),
    ("2026-11-23 04:02:00", "telegram", "c", "no_record", None, None, None),
    ("2026-11-23 04:03:00", "telegram", "c", "out_of_scope", None, None, False),
    ("2026-11-23 16:59:59", "telegram", "d", "handoff", None, None, None),
    ("2026-11-23 17:00:00", "telegram", "d", "general", None, None, True),  # 24 Nov
    ("2026-11-23 17:01:00", "telegram", "d", "smalltalk", None, None, None),
    ("2026-11-23 17:02:00", "telegram", "d", None, None, None, None),
]
DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
ALL = Slice(date(2026, 11, 22), NEXT)


@pytest.fixture
def journal(either: sa.engine.Engine) -> sa.engine.Engine:
    fill(either)
    return either


def fill(engine: sa.engine.Engine) -> None:
    with engine.begin() as connection:
        for number, (at, channel, session, kind, procedure, unit, up) in enumerate(JOURNAL, 1):
            moment = datetime.fromisoformat(f"{at}+00:00")
            values: dict[str, Any] = {"id": number, "at": moment, "channel": channel, "session": session}
            values |= {"typed": True, "kind": kind, "procedure": procedure, "unit": unit}
            connection.execute(sa.insert(turn).values(**values))
            if up is not None:
                connection.execute(sa.insert(thumb).values(turn=number, at=moment, up=up))


BY_HAND = {
    # messages, sessions, answered, clarified, refused, handed over, other, thumbs up, thumbs down
    ALL: (12, 4, 5, 2, 2, 1, 2, 3, 2),
    Slice(DAY, DAY): (8, 4, 3, 2, 2, 1, 0, 1, 2),
    Slice(NEXT, NEXT): (3, 1, 1, 0, 0, 0, 2, 1, 0),
    Slice(DAY, DAY, channel="telegram"): (5, 2, 1, 1, 2, 1, 0, 0, 1),
    Slice(DAY, NEXT, procedure="1.004222"): (2, 1, 2, 0, 0, 0, 0, 1, 1),
    Slice(ALL.since, NEXT, unit="00004"): (2, 2, 2, 0, 0, 0, 0, 2, 0),
    Slice(date(2026, 1, 1), date(2026, 1, 2)): (0,) * 9,
}


def test_every_figure_is_what_one_counts_by_hand(journal: sa.engine.Engine) -> None:
    for wanted, figures in BY_HAND.items():
        found = tally.total(journal, wanted)
        assert tuple(found[each.name] for each in FIGURES) == figures, wanted


def test_days_are_those_of_hanoi_and_none_is_left_out(journal: sa.engine.Engine) -> None:
    found = tally.count(journal, Slice(date(2026, 11, 21), NEXT), "day")
    assert [(one.key, one["messages"], one["sessions"]) for one in found] == [
        ("2026-11-21", 0, 0),
        ("2026-11-22", 1, 1),
        ("2026-11-23", 8, 4),
        ("2026-11-24", 3, 1),
    ]


def test_by_procedure_ward_and_channel_most_asked_first(journal: sa.engine.Engine) -> None:
    messages = {
        "procedure": {None: 8, "1.004222": 3, "1.001193": 1},
        "ward": {None: 9, "00004": 2, "00008": 1},
        "channel": {"telegram": 8, "web": 4},
    }
    thumbs_down = {"procedure": [1, 1, 0], "ward": [1, 0, 1], "channel": [1, 1]}
    for by, wanted in messages.items():
        found = tally.count(journal, ALL, by)
        assert [(one.key, one["messages"]) for one in found] == list(wanted.items())
        assert [one["thumbs_down"] for one in found] == thumbs_down[by]
    assert sorted(tally.channels(journal)) == ["telegram", "web"]


def test_the_outcomes_of_each_row_add_up_and_so_do_the_rows(journal: sa.engine.Engine) -> None:
    for by in tally.BY:
        rows = tally.count(journal, ALL, by)
        assert all(sum(row[each.name] for each in OUTCOMES) == row["messages"] for row in rows)
        assert sum(row["messages"] for row in rows) == tally.total(journal, ALL)["messages"]


def test_every_kind_of_answer_counts_to_one_outcome() -> None:
    kinds = [kind for figure in OUTCOMES for kind in figure.kinds]
    assert len(kinds) == len(set(kinds)) == 8
