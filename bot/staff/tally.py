"""What the figures of the console are and how they are counted: rows of the journal, by day, procedure, ward, channel.

Knows nothing of the web. Every figure of a slice is counted by one query, so that they fit together:
messages = answered + clarified + refused + handed over + other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Optional

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from bot.journal import thumb, turn
from bot.settings import HANOI


@dataclass(frozen=True)
class Figure:
    """One figure, and what it means."""

    name: str
    title: str
    definition: str
    kinds: tuple[str, ...] = ()
    """For an outcome: the kinds of answers (docs/architecture.md) that count to it."""


MESSAGES = Figure(
    "messages", "Tin nhắn", "Số lần người dân hỏi: mỗi câu đã gõ và mỗi nút đã bấm là một tin nhắn, có một câu trả lời."
)
SESSIONS = Figure(
    "sessions",
    "Phiên",
    "Số cuộc trò chuyện có ít nhất một tin nhắn được đếm. Im lặng quá 30 phút rồi hỏi tiếp là một phiên mới. Một phiên "
    "kéo sang ngày khác, hay hỏi nhiều thủ tục, được đếm ở mỗi dòng có nó, nên cộng các dòng có thể lớn hơn tổng.",
)
ANSWERED = Figure(
    "answered",
    "Đã trả lời",
    "Số tin nhắn được trả lời thẳng: về một thủ tục, một câu hỏi thường gặp, một quyết định hoặc thông tin chung.",
    ("procedure", "faq", "general"),
)
CLARIFIED = Figure(
    "clarified",
    "Hỏi lại",
    "Số tin nhắn mà bot hỏi lại cho rõ: chọn một trong vài thủ tục, hoặc cho biết phường, xã.",
    ("choices", "place_needed"),
)
REFUSED = Figure(
    "refused",
    "Chưa trả lời được",
    "Số tin nhắn mà bot nói thẳng là không trả lời: thủ tục chưa có dữ liệu, hoặc việc ngoài phạm vi.",
    ("no_record", "out_of_scope"),
)
HANDED_OVER = Figure(
    "handed_over",
    "Chuyển người",
    "Số tin nhắn mà bot chỉ sang người thật: đường dây nóng hoặc để lại câu hỏi cho cán bộ.",
    ("handoff",),
)
OTHER = Figure(
    "other",
    "Khác",
    "Số tin nhắn còn lại: chào hỏi, cảm ơn, và nút không hỏi gì. Đã trả lời + Hỏi lại + Chưa trả lời được + Chuyển "
    "người + Khác = Tin nhắn.",
)
THUMBS_UP = Figure(
    "thumbs_up", "Khen", "Số câu trả lời mà người dân bấm “có ích”. Tính vào ngày hỏi; bấm lại thì lần sau cùng tính."
)
THUMBS_DOWN = Figure(
    "thumbs_down",
    "Chê",
    "Số câu trả lời mà người dân bấm “chưa ổn”. Tính vào ngày hỏi; bấm lại thì lần sau cùng tính.",
)
OUTCOMES = (ANSWERED, CLARIFIED, REFUSED, HANDED_OVER, OTHER)
FIGURES = (MESSAGES, SESSIONS, *OUTCOMES, THUMBS_UP, THUMBS_DOWN)


@dataclass(frozen=True)
class Slice:
    """Which rows of the journal count."""

    since: date
    """First and last day in Hà Nội, both included."""
    until: date
    channel: str = ""
    procedure: str = ""
    unit: str = ""

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]


@dataclass(frozen=True)
class Count:
    """The figures of one day, procedure, ward or channel."""

    key: Optional[str]
    """The day as 2026-11-23, the code, or the channel's name; None: the turns that have none."""
    values: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys((each.name for each in FIGURES), 0))

    def __getitem__(self, name: str) -> int:
        return self.values[name]


class _hanoi_day(sa.sql.functions.FunctionElement):  # type: ignore[misc]
    """The day in Hà Nội of a moment in UTC, as 2026-11-23."""

    type = sa.String()
    inherit_cache = True


@compiles(_hanoi_day, "sqlite")  # type: ignore[untyped-decorator]
def _sqlite_day(element: Any, compiler: Any, **options: Any) -> str:
    return f"strftime('%Y-%m-%d', {compiler.process(element.clauses, **options)}, '+7 hours')"


@compiles(_hanoi_day, "postgresql")  # type: ignore[untyped-decorator]
def _postgresql_day(element: Any, compiler: Any, **options: Any) -> str:
    # A time zone of its own: PostgreSQL may lack the names. POSIX counts west of Greenwich, so -07 is Hà Nội.
    return f"to_char({compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC-07', 'YYYY-MM-DD')"


_KEYS: Mapping[str, Any] = {
    "day": _hanoi_day(turn.c.at),
    "procedure": turn.c.procedure,
    "ward": turn.c.unit,
    "channel": turn.c.channel,
}
BY = tuple(_KEYS)


def total(engine: sa.engine.Engine, wanted: Slice) -> Count:
    """The figures of a whole slice."""
    with engine.connect() as connection:
        row = connection.execute(_query(wanted)).mappings().one()
    return Count("", {each.name: int(row[each.name] or 0) for each in FIGURES})


def count(engine: sa.engine.Engine, wanted: Slice, by: str) -> list[Count]:
    """The figures by day (every day of the slice, oldest first), procedure, ward or channel (most messages first)."""
    key = _KEYS[by]
    with engine.connect() as connection:
        rows = list(connection.execute(_query(wanted, key).group_by(key)).mappings())
    found = [Count(row["key"], {each.name: int(row[each.name] or 0) for each in FIGURES}) for row in rows]
    if by == "day":
        by_day = {one.key: one for one in found}
        return [by_day.get(day.isoformat(), Count(day.isoformat())) for day in wanted.days]
    return sorted(found, key=lambda one: (-one[MESSAGES.name], one.key or ""))


def channels(engine: sa.engine.Engine) -> list[str]:
    """The channels that anything came by."""
    with engine.connect() as connection:
        return [str(name) for name in connection.execute(sa.select(turn.c.channel).distinct()).scalars()]


def _query(wanted: Slice, key: Any = None) -> Any:
    known = [kind for figure in OUTCOMES for kind in figure.kinds]
    columns = [
        sa.func.count().label(MESSAGES.name),
        sa.func.count(sa.distinct(turn.c.session)).label(SESSIONS.name),
        *(_sum(turn.c.kind.in_(figure.kinds)).label(figure.name) for figure in OUTCOMES if figure.kinds),
        _sum(sa.or_(turn.c.kind.is_(None), turn.c.kind.not_in(known))).label(OTHER.name),
        _sum(thumb.c.up.is_(True)).label(THUMBS_UP.name),
        _sum(thumb.c.up.is_(False)).label(THUMBS_DOWN.name),
    ]
    if key is not None:
        columns.append(key.label("key"))
    query = sa.select(*columns).select_from(turn.outerjoin(thumb, thumb.c.turn == turn.c.id))
    query = query.where(turn.c.at >= _start(wanted.since), turn.c.at < _start(wanted.until + timedelta(days=1)))
    for column, value in ((turn.c.channel, wanted.channel), (turn.c.procedure, wanted.procedure)):
        if value:
            query = query.where(column == value)
    return query.where(turn.c.unit == wanted.unit) if wanted.unit else query


def _sum(condition: Any) -> Any:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _start(day: date) -> datetime:
    """The first moment of a day in Hà Nội, in UTC: SQLite compares what is written, without a time zone."""
    return datetime.combine(day, time(), HANOI).astimezone(timezone.utc)
