"""The training in progress: one at a time on one database, seen from every server, survives the page and the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import sqlalchemy as sa

from bot.releases.store import metadata
from bot.staff.tables import Moment

SILENT = timedelta(seconds=30)
"""A training that was not heard of for so long is dead."""
SLOW_START = timedelta(minutes=5)
"""So long it may take until it is first heard of: a busy machine loads Rasa in a minute or two."""
DIED = "Tiến trình huấn luyện đã dừng giữa chừng (máy tắt, hoặc hết bộ nhớ). Bạn huấn luyện lại."
PHASES = {
    "start": (0.0, "Chuẩn bị"),
    "teach": (0.05, "Dạy bản nháp"),
    "fixed": (0.55, "Hỏi các câu cố định"),
    "held_out": (0.6, "Hỏi lại từng cách hỏi"),
    "published": (0.9, "Đo phiên bản đang phục vụ (chỉ lần đầu)"),
    "keep": (0.97, "Lưu phiên bản"),
}
"""How far the whole is when a phase begins, and what it is called."""
training = sa.Table(
    "training",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("running", sa.Integer, unique=True),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("beat", Moment, nullable=False),
    sa.Column("stop", sa.Boolean, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("release", sa.Integer),
)
"""`running` is 1 while it runs and null afterwards: the database itself allows but one. `release` is the version that
came of it or, where an old version's model is made anew, that version from the start."""


AUTOMATIC = "tự động"
"""Who started what nobody asked for: the figures of the version that was shipped."""


class Busy(RuntimeError):
    """Another training is in progress."""


class Stopped(RuntimeError):
    """The training was cancelled."""


@dataclass(frozen=True)
class Job:
    id: int
    at: datetime
    who: str
    state: str
    """running, done, failed or cancelled."""
    running: Optional[int]
    phase: str
    share: float
    """Of the phase, 0–1."""
    beat: datetime
    stop: bool
    ended_at: Optional[datetime]
    problem: str
    """Why it failed, in Vietnamese."""
    release: Optional[int]

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def can_wait(self) -> bool:
        """Gives way to a training that somebody asks for."""
        return self.who == AUTOMATIC

    @property
    def done(self) -> float:
        """Of the whole, 0–1."""
        starts = [*(start for start, _ in PHASES.values()), 1.0]
        at = list(PHASES).index(self.phase) if self.phase in PHASES else 0
        return starts[at] + self.share * (starts[at + 1] - starts[at])

    @property
    def title(self) -> str:
        return PHASES.get(self.phase, PHASES["start"])[1]

    @property
    def seconds(self) -> float:
        return ((self.ended_at or datetime.now(timezone.utc)) - self.at).total_seconds()


class Jobs:
    """The trainings of one database."""

    def __init__(self, engine: sa.engine.Engine, clock: Optional[Callable[[], datetime]] = None) -> None:
        self._engine = engine
        self._now = clock or (lambda: datetime.now(timezone.utc))

    def start(self, who: str, release: Optional[int] = None) -> Job:
        """A new job, for a process to take.

        Raises:
            Busy: one is in progress.
        """
        self.bury()
        moment = self._now()
        values = {
            "at": moment, "who": who, "state": "running", "running": 1, "phase": "start", "share": 0.0, "beat": moment,
            "stop": False, "problem": "", "release": release,
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                number = connection.execute(sa.insert(training).values(**values)).inserted_primary_key[0]
        except sa.exc.IntegrityError as error:
            raise Busy("Đang có một lượt huấn luyện khác.") from error
        return self.get(int(number))

    def start_before_others(self, who: str) -> Job:
        """A new job that somebody asked for: one that nobody asked for gives way.

        Raises:
            Busy: one in progress was asked for, too.
        """
        latest = self.latest()
        if latest and latest.is_running and latest.can_wait:
            self.cancel(latest.id)
            self.end(latest.id, "cancelled")
        return self.start(who)

    def latest(self) -> Optional[Job]:
        self.bury()
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(training).order_by(training.c.id.desc()).limit(1)).mappings().first()
        return Job(**row) if row else None

    def beat(self, number: int, phase: str, share: float) -> None:
        """Say that a job goes on.

        Raises:
            Stopped: somebody cancelled it, or gave it up for dead.
        """
        values = {"phase": phase, "share": share, "beat": self._now()}
        mine = sa.and_(training.c.id == number, training.c.running == 1, training.c.stop.is_(False))
        with self._engine.begin() as connection:
            if connection.execute(sa.update(training).where(mine).values(**values)).rowcount != 1:
                raise Stopped("Đã hủy.")

    def cancel(self, number: int) -> bool:
        """Ask a job to stop; its process sees it within a second or so. False: it had ended already."""
        mine = sa.and_(training.c.id == number, training.c.running == 1)
        with self._engine.begin() as connection:
            return bool(connection.execute(sa.update(training).where(mine).values(stop=True)).rowcount)

    def end(self, number: int, state: str, problem: str = "", release: Optional[int] = None) -> bool:
        """Note how a job ended. False: it had ended already."""
        values: dict[str, Any] = {"state": state, "running": None, "problem": problem, "ended_at": self._now()}
        if release is not None:
            values["release"] = release
        mine = sa.and_(training.c.id == number, training.c.running == 1)
        with self._engine.begin() as connection:
            return bool(connection.execute(sa.update(training).where(mine).values(**values)).rowcount)

    def bury(self) -> None:
        """A job whose process died is over."""
        values = {"running": None, "ended_at": self._now()}
        now, begun = self._now(), training.c.beat > training.c.at
        late = sa.or_(sa.and_(begun, training.c.beat < now - SILENT), training.c.beat < now - SLOW_START)
        silent = sa.and_(training.c.running == 1, late)
        with self._engine.begin() as connection:
            stopped = sa.update(training).where(silent, training.c.stop.is_(True))
            connection.execute(stopped.values(**values, state="cancelled"))
            connection.execute(sa.update(training).where(silent).values(**values, state="failed", problem=DIED))

    def get(self, number: int) -> Job:
        """One job, as it stands."""
        with self._engine.connect() as connection:
            return Job(**connection.execute(sa.select(training).where(training.c.id == number)).mappings().one())
