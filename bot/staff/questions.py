"""Questions that the bot did not answer well, in groups of the like, and what staff made of them.

Only messages of people who agreed are there at all (`bot.memory`). What was dealt with is remembered by a digest of
its words, so that the words themselves go when the person wants them gone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Optional

import sqlalchemy as sa
from rapidfuzz import fuzz, process
from starlette.requests import Request

from bot.editing.checks import Sayings
from bot.editing.editor import Item
from bot.journal import SILENCE, thumb, turn
from bot.memory import mask, message
from bot.staff import access, audit
from bot.staff.accounts import now
from bot.staff.tables import handled_question
from bot.staff.workbench import workbench

LIKE = 82.0
"""Likeness (0–100) from which two questions are of one group."""
MOST = 5000
"""Messages that are looked at, the newest first."""
OTHER_ANSWERS = frozenset({"choices", "procedure", "place_needed", "out_of_scope", "faq", "no_record", "handoff"})
"""Kinds of answers that show, after choices were offered, that none of those was what the person meant."""


class Reason(Enum):
    FELL_BACK = "fell_back"
    """The bot said that it does not understand, or that this is none of its business."""
    THUMBED_DOWN = "thumbed_down"
    """The answer to it (or to the choice made after it) was thumbed down."""
    WRONG_CHOICE = "wrong_choice"
    """Choices were offered, and none was taken, or something else was asked, or another one was taken after the
    first, or the same was asked again."""

    @property
    def label(self) -> str:
        return {
            "fell_back": "Bot không hiểu",
            "thumbed_down": "Bị chê",
            "wrong_choice": "Lựa chọn không đúng",
        }[self.value]


@dataclass(frozen=True)
class Question:
    """One message."""

    text: str
    """Masked."""
    digest: str
    at: datetime
    channel: str
    reasons: frozenset[Reason]
    thought_of: tuple[str, ...]
    """Procedures that the bot answered or offered."""
    complaint: str = ""
    """Why it was thumbed down, in the person's words (masked)."""


@dataclass(frozen=True)
class Handled:
    """What was made of a question."""

    action: str
    target: str
    who: str
    at: datetime


@dataclass
class Group:
    """Like questions."""

    questions: list[Question]
    earlier: Optional[Handled] = None
    """What was made of others like these, before these were asked."""
    texts: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.texts = Counter(question.text for question in self.questions)

    @property
    def text(self) -> str:
        """How it is put most often."""
        return self.texts.most_common(1)[0][0]

    @property
    def digest(self) -> str:
        """By which the group is found again."""
        return next(question.digest for question in self.questions if question.text == self.text)

    @property
    def digests(self) -> set[str]:
        return {question.digest for question in self.questions}

    @property
    def count(self) -> int:
        return len(self.questions)

    @property
    def last(self) -> datetime:
        return max(question.at for question in self.questions)

    @property
    def reasons(self) -> list[tuple[Reason, int]]:
        counted = Counter(reason for question in self.questions for reason in question.reasons)
        return [(reason, counted[reason]) for reason in Reason if counted[reason]]

    @property
    def variants(self) -> list[tuple[str, int]]:
        return self.texts.most_common()[1:]

    @property
    def complaints(self) -> list[str]:
        return list(dict.fromkeys(question.complaint for question in self.questions if question.complaint))

    @property
    def answered(self) -> list[str]:
        """Procedures of answers that were thumbed down."""
        downs = [question for question in self.questions if Reason.THUMBED_DOWN in question.reasons]
        return [question.thought_of[0] for question in downs if question.thought_of]


# Reading


def collect(engine: sa.engine.Engine, sayings: Sayings, days: int, at: Optional[datetime] = None) -> list[Question]:
    """The questions of some days that were not answered well, newest first."""
    moment = at or now()
    since = moment - timedelta(days=days)
    with engine.connect() as connection:
        query = sa.select(message).where(message.c.at >= since).order_by(message.c.id.desc()).limit(MOST)
        messages = [dict(row) for row in connection.execute(query).mappings()]
        turns = _turns(connection, since)
        downs = {
            int(row["turn"]): str(row["reason"] or "")
            for row in connection.execute(sa.select(thumb).where(thumb.c.up.is_(False))).mappings()
        }
    by_turn = {row["turn"]: row for row in messages}
    session_of = {each.id: rows for rows in turns.values() for each in rows}
    complaints = _complaints(downs, turns, by_turn)
    found = []
    for row in messages:
        reasons = set()
        answer = row["answer"] or {}
        if answer.get("kind") == "out_of_scope":
            reasons.add(Reason.FELL_BACK)
        if row["turn"] in complaints:
            reasons.add(Reason.THUMBED_DOWN)
        if answer.get("kind") == "choices" and _was_wrong(
            row, session_of.get(row["turn"], []), by_turn, sayings, moment
        ):
            reasons.add(Reason.WRONG_CHOICE)
        if reasons:
            found.append(_question(row, reasons, complaints.get(row["turn"], ""), sayings))
    return found


def _turns(connection: sa.engine.Connection, since: datetime) -> Mapping[str, list[Any]]:
    """Session → its turns, in order; of the sessions of which messages are kept."""
    kept = sa.select(message.c.turn).where(message.c.at >= since)
    ours = sa.select(turn.c.session).where(turn.c.id.in_(kept))
    columns = (turn.c.id, turn.c.at, turn.c.session, turn.c.kind, turn.c.procedure)
    sessions: dict[str, list[Any]] = {}
    for row in connection.execute(sa.select(*columns).where(turn.c.session.in_(ours)).order_by(turn.c.id)):
        sessions.setdefault(row.session, []).append(row)
    return sessions


def _complaints(
    downs: Mapping[int, str], sessions: Mapping[str, list[Any]], messages: Mapping[int, Any]
) -> dict[int, str]:
    """Turn of a question → why its answer was thumbed down; a tap stands for the question before it."""
    found: dict[int, str] = {}
    for rows in sessions.values():
        asked: Optional[int] = None
        for row in rows:
            asked = row.id if row.id in messages else asked
            if row.id in downs and asked is not None:
                found[asked] = downs[row.id] or found.get(asked, "")
    return found


def _was_wrong(
    row: Mapping[str, Any],
    session: Sequence[Any],
    messages: Mapping[int, Any],
    sayings: Sayings,
    moment: datetime,
) -> bool:
    """Whether choices that were offered were not what was meant (see `Reason.WRONG_CHOICE`)."""
    offered = {choice["code"] for choice in row["answer"].get("choices", ())}
    later = [each for each in session if each.id > row["turn"]]
    taken: Optional[str] = None
    for each in later:
        again = messages.get(each.id)
        if again is not None and _alike(sayings.key(again["text"]), sayings.key(row["text"])):
            return True
        if each.procedure in offered:
            if taken not in (None, each.procedure):
                return True
            taken = each.procedure
        elif taken is None and each.kind in OTHER_ANSWERS:
            return True
    if taken is not None:
        return False
    ended = _utc(session[-1].at if session else row["at"])
    return moment - ended > timedelta(seconds=SILENCE)


def _question(row: Mapping[str, Any], reasons: set[Reason], complaint: str, sayings: Sayings) -> Question:
    answer = row["answer"] or {}
    codes = [(answer.get("procedure") or {}).get("code"), *(each.get("code") for each in answer.get("choices", ()))]
    text = mask(" ".join(str(row["text"]).split()))
    return Question(
        text=text,
        digest=digest(text, sayings),
        at=_utc(row["at"]),
        channel=str(row["channel"]),
        reasons=frozenset(reasons),
        thought_of=tuple(dict.fromkeys(filter(None, codes))),
        complaint=mask(complaint),
    )


def digest(text: str, sayings: Sayings) -> str:
    """Of the words of a question; accents, case, punctuation and short forms make no difference."""
    return hashlib.sha256(f"question:{sayings.key(text) or text}".encode()).hexdigest()[:24]


# Groups


def groups(questions: Iterable[Question], sayings: Sayings, handled: Mapping[str, Handled]) -> list[Group]:
    """Like questions together, those asked most first, without what was dealt with.

    Where others like it were dealt with, a question that was asked before that is dealt with, too; where they were
    waved aside, so is whatever is like them later.
    """
    found = []
    for members in _clusters(list(questions), sayings):
        done = [handled[question.digest] for question in members if question.digest in handled]
        last = max(done, key=lambda each: each.at, default=None)
        aside = any(each.action == "dismiss" for each in done)
        left = [q for q in members if q.digest not in handled and not aside and (last is None or q.at > last.at)]
        if left:
            found.append(Group(left, last))
    return sorted(found, key=lambda group: (-group.count, -group.last.timestamp()))


def _clusters(questions: Sequence[Question], sayings: Sayings) -> list[list[Question]]:
    same: dict[str, list[Question]] = {}
    for question in questions:
        same.setdefault(sayings.key(question.text), []).append(question)
    heads: list[str] = []
    clusters: list[list[Question]] = []
    # Those said most often gather the others around them.
    for key, members in sorted(same.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        near = process.extractOne(key, heads, scorer=fuzz.token_sort_ratio, score_cutoff=LIKE) if heads else None
        if near is not None:
            clusters[near[2]] += members
        else:
            heads.append(key)
            clusters.append(list(members))
    return clusters


def _alike(one: str, other: str) -> bool:
    return bool(fuzz.token_sort_ratio(one, other) >= LIKE)


# What became of them


def all_handled(engine: sa.engine.Engine) -> dict[str, Handled]:
    """Digest → what was made of it."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(handled_question)).mappings()
        return {row["digest"]: Handled(row["action"], row["target"], row["who"], row["at"]) for row in rows}


def note(engine: sa.engine.Engine, digests: Iterable[str], action: str, target: str, who: str) -> None:
    values = [{"digest": each, "action": action, "target": target, "who": who, "at": now()} for each in digests]
    if not values:
        return
    with engine.begin() as connection:
        connection.execute(
            sa.delete(handled_question).where(handled_question.c.digest.in_([each["digest"] for each in values]))
        )
        connection.execute(sa.insert(handled_question), values)


def forget(engine: sa.engine.Engine, digests: Iterable[str]) -> None:
    """Have questions on the list again."""
    with engine.begin() as connection:
        connection.execute(sa.delete(handled_question).where(handled_question.c.digest.in_(list(digests))))


def open_groups(request: Request, days: int = 90) -> list[Group]:
    """What is on the list now."""
    engine, sayings = request.app.state.engine, workbench(request).sayings()
    return groups(collect(engine, sayings, days), sayings, all_handled(engine))


def handle(request: Request, leaders: Iterable[str], action: str, item: Optional[Item] = None, detail: str = "") -> int:
    """Note that groups were dealt with; gives how many questions that were.

    Args:
        leaders: the digests of the groups.
        item: the entry that answers them now.
    """
    wanted = set(leaders)
    found = [group for group in open_groups(request) if group.digests & wanted]
    digests = {each for group in found for each in group.digests}
    target = item.id if item else ""
    note(request.app.state.engine, digests, action, target, access.user(request).name)
    count = sum(group.count for group in found)
    audit.record(request, f"unanswered.{action}", target, detail or f"{count} lượt hỏi")
    return count


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
