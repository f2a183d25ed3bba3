"""Judges single questions.

Every question goes through the whole bot, in a conversation of its own, and what comes back is judged by
the payload alone, never by its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Optional

from bot.evaluation.files import Case
from bot.text import fold

Ask = Callable[[str], Awaitable[Optional[dict[str, Any]]]]
"""Sends one text in a new conversation; gives the payload of the reply."""

REFUSED = ("out_of_scope", "smalltalk")
GENERAL = ("faq", "general", "handoff")
NO_PROCEDURE = ("out_of_scope", "smalltalk", "general", "faq", "handoff")


@dataclass(frozen=True)
class Result:
    case: Case
    payload: dict[str, Any]
    seconds: float

    @property
    def top(self) -> Optional[str]:
        procedure = self.payload.get("procedure")
        return procedure["code"] if procedure else None

    @property
    def ranked(self) -> list[str]:
        """What the reply puts forward, best first."""
        first = [self.top] if self.top else []
        return [*first, *(c["code"] for c in self.payload.get("choices") or [] if c["code"] != self.top)]

    @property
    def right(self) -> bool:
        """Whether the bot behaved as it should for a question of this kind."""
        case, kind = self.case, self.payload.get("kind")
        if case.kind == "procedure":
            return self.top in case.codes
        if case.kind == "clarify":
            return kind == "choices" and 2 <= len(self.ranked) <= 4 and len(set(self.ranked) & set(case.codes)) >= 2
        if case.kind == "general":
            return kind in GENERAL
        if case.kind == "missing":
            return kind == "no_record" and (self.top is None or self.top in case.also_ok)
        return kind in NO_PROCEDURE and self.top is None

    @property
    def wrong_and_confident(self) -> bool:
        """A procedure is asserted, it is wrong, and no right one stands beside it."""
        if self.payload.get("kind") != "procedure" or self.top is None:
            return False
        fine = {*self.case.codes, *self.case.also_ok}
        return self.top not in fine and not fine & set(self.ranked)


@dataclass
class Score:
    """Figures over some results; each a share of 0–1 with the number of questions it rests on."""

    results: list[Result] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Result]:
        return [result for result in self.results if result.case.kind in kinds]

    def figures(self) -> dict[str, tuple[float, int]]:
        procedures = self.of("procedure")
        faceted = [result for result in procedures if result.case.facet]
        real = self.of("procedure", "clarify", "missing", "general")
        return {
            "hit@1": _share(result.top in result.case.codes for result in procedures),
            "hit@3": _share(bool(set(result.ranked[:3]) & set(result.case.codes)) for result in procedures),
            "facet": _share(result.case.facet in (result.payload.get("facets") or []) for result in faceted),
            "facet (first)": _share(result.case.facet == result.payload.get("facet") for result in faceted),
            **{
                f"right: {kind}": _share(r.right for r in self.of(kind))
                for kind in sorted({r.case.kind for r in self.results})
            },
            "real questions refused": _share(result.payload.get("kind") in REFUSED for result in real),
            "wrong and confident": _share(result.wrong_and_confident for result in self.results),
        }

    def confusion(self) -> Counter[tuple[str, str]]:
        """(kind asked, kind answered) → number."""
        return Counter((result.case.kind, str(result.payload.get("kind"))) for result in self.results)

    def reliability(self, bins: int = 5) -> list[tuple[str, int, float, float]]:
        """Per band of stated confidence: number, mean confidence, share right. For asserted procedures."""
        asserted = [result for result in self.results if result.payload.get("kind") == "procedure"]
        rows = []
        for i in range(bins):
            low, high = i / bins, (i + 1) / bins
            band = [
                r
                for r in asserted
                if low <= r.payload["confidence"] < high or (i == bins - 1 and r.payload["confidence"] >= high)
            ]
            if band:
                mean = sum(r.payload["confidence"] for r in band) / len(band)
                rows.append((f"{low:.1f}–{high:.1f}", len(band), mean, _share(r.top in r.case.codes for r in band)[0]))
        return rows

    def median_ms(self) -> float:
        times = sorted(result.seconds for result in self.results)
        return 1000 * times[len(times) // 2] if times else 0.0


def _share(hits: Iterable[bool]) -> tuple[float, int]:
    found = list(hits)
    return (sum(found) / len(found) if found else 0.0), len(found)


def unaccented(cases: Sequence[Case]) -> list[Case]:
    """The same questions without diacritics."""
    return [case.copy(update={"text": fold(case.text)}) for case in cases]


async def evaluate(ask: Ask, cases: Iterable[Case]) -> Score:
    """Ask every question and judge the replies."""
    score = Score()
    for case in cases:
        start = perf_counter()
        reply = await ask(case.text)
        score.results.append(Result(case, reply or {"kind": "nothing"}, perf_counter() - start))
    return score
