"""Which procedure a message means that does not name it in full, seen from where a conversation stands. Pure.

It may be one that was talked about before, one of those that were offered, or one that stands beside the one talked
about (`Phrasebook.kin`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from bot.phrasebook import Phrasebook
from bot.text import fits, words
from bot.understanding import LEAD, SURE, Understanding

LIKELY = 0.02
"""Least probability of a procedure to count as chosen, as meant again, or as meant beside the one talked about."""
CLEAR_LEAD = 2.0
"""How many times likelier than the next one an offered procedure must be to count as chosen by words."""
NEARBY = 20.0
"""How many times likelier a procedure is that stands beside the one talked about."""
NAMED = 2
"""Words of a correction that must be a procedure's (a single syllable is half a word, and says little)."""


@dataclass(frozen=True)
class Reference:
    """Knows what procedures are called and which stand beside one another."""

    book: Phrasebook
    label: Callable[[str], str]
    """A procedure's name, as on a button."""

    def recalled(self, found: Understanding, procedure: Optional[str], history: Sequence[str]) -> Optional[str]:
        """The procedure of before that "cái khai sinh lúc nãy" means; without a name, the one before this one."""
        if not found.back or not history:
            return None
        named = self._named(found.content, history)
        if named:
            return named
        others = [code for code in history if code != procedure]
        likely = [code for code, share in found.ranking if code in history and share >= LIKELY]
        return likely[0] if likely else others[-1] if others else procedure

    def chosen(self, found: Understanding, choices: Sequence[str], said: Sequence[str]) -> Optional[str]:
        """The offered procedure that the words of a message single out, if any.

        Args:
            said: the words that they were offered for.
        """
        if not choices or not found.content or found.kind in ("choose", "place") or found.intent == "deny":
            return None
        if found.kind == "faq" and found.confidence >= SURE:
            return None
        if found.kind == "procedure" and (found.topic in choices or found.confidence >= SURE):
            return found.topic if found.topic in choices else None
        named = self._named(found.content, choices, said)
        if named or found.kind in ("smalltalk", "faq"):
            return named
        if found.kind == "procedure":
            return _likeliest(found.ranking, choices)
        offered = [(code, share) for code, share in found.ranking if code in choices]
        if found.kind == "missing" or not offered:
            return None
        clear = len(offered) == 1 or offered[0][1] >= CLEAR_LEAD * offered[1][1]
        return offered[0][0] if clear and offered[0][1] >= LIKELY else None

    def nearby(self, found: Understanding, procedure: str, history: Sequence[str]) -> Optional[str]:
        """The procedure beside the one talked about that a message means which does not name it in full.

        "À nhầm, hộ kinh doanh cơ" says only what is different, "còn bị rách thì sao" leaves out what is talked about.
        """
        doubtful = found.kind in ("procedure", "choices")
        if _is_clear(found) or not (doubtful or found.corrects or found.again):
            return None
        kin = self.book.kin(procedure)
        near = {*kin, *history}
        is_near = found.topic in near or (found.is_vague and near & set(found.choices))
        if is_near and not found.corrects:
            return None
        meant = found.choices if found.kind == "choices" else (str(found.topic),)
        in_full = any(not set(found.content) - set(self._label(code)) for code in meant)
        if in_full and not (found.corrects or found.again):
            return None
        named = self._named_nearby(found, procedure, kin)
        if named:
            return named
        if in_full and found.kind == "procedure":
            return None
        offered = [code for code in found.choices if code in kin] if found.is_vague else []
        if len(offered) == 1:
            return offered[0]
        if not (doubtful or found.corrects):
            return None
        wrong = procedure if found.corrects else None
        ranking = [(code, share) for code, share in found.ranking if code != wrong]
        return _likeliest(ranking, near)

    def _named_nearby(self, found: Understanding, procedure: str, kin: Sequence[str]) -> Optional[str]:
        """The one of the kin whose label has the words said, and what else the procedure talked about is called."""
        # "15 tuổi": no label has the number.
        told = [word for word in found.content if not word.isdigit()]
        # "Khai sinh" after a marriage leaves nothing out: it is not half the name of "bản sao khai sinh".
        left_out = set(self._label(procedure)) - set(told)
        like = [code for code in kin if _common(self._label(code), left_out)]
        named = self._most_named(told, like, left_out, NAMED if found.corrects else len(told))
        share = dict(found.ranking)
        # Of "đăng ký tạm trú" and "xóa đăng ký tạm trú", who says "đăng ký" means the one without more.
        return max(named, key=lambda code: (share.get(code, 0.0), -len(self._label(code))), default=None)

    def _named(self, said: Sequence[str], codes: Sequence[str], before: Sequence[str] = ()) -> Optional[str]:
        """The only one of some procedures whose label has the most of the words said."""
        named = self._most_named(said, codes, before)
        return named[0] if len(named) == 1 else None

    def _most_named(
        self, said: Sequence[str], codes: Sequence[str], before: Collection[str] = (), least: int = 1
    ) -> list[str]:
        """Those of some procedures whose labels have the most of the words said, of those that tell them apart.

        Args:
            before: words said before; they decide between labels that have as many of those said now.
            least: so many of the words said must be in a label, or else all.
        """
        labels = [set(self._label(code)) for code in codes]
        shared = set.intersection(*labels) if len(labels) > 1 else set()
        hits = [(_common(said, label - shared), _common(before, label - shared)) for label in labels]
        best = max(hits, default=(0, 0))
        enough = best[0] >= min(least, len(set(said))) > 0
        return [code for code, hit in zip(codes, hits) if hit == best] if enough else []

    def _label(self, code: str) -> list[str]:
        return words(self.label(code))


def _is_clear(found: Understanding) -> bool:
    """Whether a message is believed whatever was talked about before."""
    if found.kind in ("procedure", "missing", "faq"):
        return found.confidence >= SURE
    # Of small talk the classifier of intents must be persuaded too ("à nhầm, cháu 15 tuổi rồi").
    small_talk = found.kind == "smalltalk" and found.intent != "out_of_scope" and not found.again
    return small_talk or not found.content


def _common(said: Iterable[str], right: Iterable[str]) -> int:
    """How many of the words said are among the right ones."""
    return sum(any(fits(word, one) for one in right) for word in set(said))


def _likeliest(ranking: Sequence[tuple[str, float]], near: Collection[str]) -> Optional[str]:
    """The best of the procedures nearby, if it is likely at all and leads once what is nearby weighs more."""
    weighed = sorted(((share * (NEARBY if code in near else 1), code) for code, share in ranking), reverse=True)
    (first, best), (second, _) = (*weighed, (0.0, ""), (0.0, ""))[:2]
    return best if best in near and first >= NEARBY * LIKELY and first / (first + second) >= LEAD else None
