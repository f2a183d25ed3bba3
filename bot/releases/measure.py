"""How a new version fares: the fixed questions, and every phrasing held out in turn, beside the published version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from bot.phrasebook import Phrasebook
from bot.understanding import (
    FAQ,
    FOLLOW_UP,
    MISSING,
    NOT_UNDERSTOOD,
    OUT_OF_SCOPE,
    PROCEDURE,
    SMALL_TALK,
    VAGUE,
    split_topic,
)

_NO_TOPIC = {
    OUT_OF_SCOPE: "ngoài phạm vi",
    FOLLOW_UP: "câu nối tiếp",
    SMALL_TALK: "câu xã giao",
    NOT_UNDERSTOOD: "không hiểu",
}
NOTICEABLE = 0.1
"""A held-out phrasing has moved only if the probability of its topic changed by so much: less is the lottery of
training, for phrasings that stood on the edge before."""


@dataclass(frozen=True)
class Moved:
    """A held-out phrasing that is found where it was not, or no more."""

    topic: str
    text: str
    before: str
    """The topic that the published version finds."""
    after: str
    drop: float
    """By how much the probability of the right topic fell (below 0: rose)."""
    related: bool
    """It belongs to, or went to or came from, a topic whose phrasings were edited."""


@dataclass
class Comparison:
    """A version beside another one."""

    better: list[Moved] = field(default_factory=list)
    worse: list[Moved] = field(default_factory=list)
    wavering: int = 0
    """Phrasings that changed sides by a hair; see `NOTICEABLE`."""
    new: list[Moved] = field(default_factory=list)
    """Phrasings that the other version did not have; `before` is empty."""
    gone: int = 0


@dataclass(frozen=True)
class FixedPair:
    """A fixed question, as both versions answer it."""

    title: str
    answer: str
    wrong: tuple[str, ...]
    before: str
    wrong_before: tuple[str, ...]

    @property
    def change(self) -> str:
        """better, worse, or empty."""
        if bool(self.wrong) == bool(self.wrong_before):
            return ""
        return "worse" if self.wrong else "better"


def lasting_name(topic: str, book: Phrasebook) -> str:
    """A topic's name that means the same in every version: families of vague questions are only numbered in one."""
    kind, name = split_topic(topic)
    return f"{VAGUE}:{'+'.join(book.vague[int(name)].choices)}" if kind == VAGUE else topic


def topic_title(topic: str, book: Phrasebook, official: Mapping[str, str], unknown: str = "") -> str:
    """A topic in words.

    Args:
        topic: its lasting name.
        official: code → name of every procedure.
        unknown: what an entry is called that the phrasebook does not have.
    """
    kind, name = split_topic(topic)
    if kind == PROCEDURE:
        return f"{book.short_names.get(name) or official.get(name, '')} ({name})".strip()
    if kind == VAGUE:
        names = (book.short_names.get(code) or official.get(code, code) for code in name.split("+"))
        return "hỏi lại: " + " / ".join(names)
    if kind == FAQ:
        return "câu hỏi chung: " + (str(book.faq[name].question) if name in book.faq else unknown or name)
    if kind == MISSING:
        return "chưa có dữ liệu: " + (str(book.missing[name].name) if name in book.missing else unknown or name)
    return _NO_TOPIC.get(topic, topic)


def figures(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was measured: how many were right of how many."""
    fixed, rows = measured.get("fixed") or [], measured.get("held_out") or []
    return {
        "fixed": [sum(not wrong for _, _, wrong in fixed), len(fixed)],
        "held_out": [sum(found == topic for topic, _, found, _ in rows), len(rows)],
    }


def told(figure: Optional[Sequence[int]]) -> str:
    """One of a version's figures, for people: "32.019/47.651 (67%)"."""
    right, asked = figure or (0, 0)
    if not asked:
        return "chưa đo"
    share = f" ({100 * right // asked}%)" if asked >= 100 else ""
    return f"{right:,}/{asked:,}{share}".replace(",", ".")


def fixed_pairs(measured: Mapping[str, Any]) -> list[FixedPair]:
    """Failures first."""
    before = {title: (answer, wrong) for title, answer, wrong in measured.get("fixed_before") or []}
    pairs = []
    for title, answer, wrong in measured.get("fixed") or []:
        old, old_wrong = before.get(title, ("", []))
        pairs.append(FixedPair(title, answer, tuple(wrong), old, tuple(old_wrong)))
    return sorted(pairs, key=lambda pair: (not pair.wrong, pair.change != "better"))


def compare(before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]) -> Comparison:
    """What became of each phrasing.

    Args:
        before, after: rows of topic, text, found topic, probability; topics by their `lasting_name`.
    """
    old = {(topic, text): (found, share) for topic, text, found, share in before}
    new = {(topic, text): (found, share) for topic, text, found, share in after}
    edited = {topic for topic, _ in old.keys() ^ new.keys()}
    result = Comparison(gone=len(old.keys() - new.keys()))
    for (topic, text), (found, share) in new.items():
        if (topic, text) not in old:
            result.new.append(Moved(topic, text, "", found, 0.0, True))
            continue
        was, share_before = old[topic, text]
        if (was == topic) == (found == topic):
            continue
        if abs(share - share_before) < NOTICEABLE:
            result.wavering += 1
            continue
        related = bool({topic, found, was} & edited)
        moved = Moved(topic, text, was, found, round(share_before - share, 4), related)
        (result.better if found == topic else result.worse).append(moved)
    for moves in (result.better, result.worse):
        moves.sort(key=lambda one: (not one.related, -abs(one.drop), one.topic, one.text))
    return result


def failed(measured: Mapping[str, Any]) -> list[str]:
    """The fixed questions that are answered wrong."""
    return [str(title) for title, _, wrong in _rows(measured)]


def refusal(measured: Mapping[str, Any]) -> str:
    """Why a version may be published only by somebody who answers for it; empty: it passes."""
    if not measured.get("fixed"):
        return "Bản nháp chưa được hỏi câu cố định nào, nên chưa xuất bản được."
    wrong = len(failed(measured))
    return f"Chưa xuất bản được: {wrong} câu hỏi cố định còn trả lời sai." if wrong else ""


def _rows(measured: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    return [row for row in measured.get("fixed") or [] if row[2]]
