"""What is wrong with an entry, said before it is written: what, where, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Optional

from rapidfuzz import fuzz, process

from bot.editing.editor import EXAMPLES, Item, Kind, Snapshot
from bot.editing.links import Links, State, shape
from bot.memory import mask
from bot.phrasebook import slug
from bot.text import Abbreviations, clean, fold, words

NEAR = 90.0
"""Likeness (0–100) from which two phrasings count as nearly the same."""
LONGEST_PHRASING = 300
LONGEST_LINE = 200
LONGEST_ANSWER = 3000
MOST_PHRASINGS = 150
REMEMBERED = 200_000
"""Texts whose keys are kept at hand."""


class Grade(Enum):
    REFUSED = "refused"
    ASKED = "asked"
    """Refused until somebody says that it is meant so."""
    NOTED = "noted"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with an entry."""

    field: str
    """Field of the form: "question", "phrasings", "sources.0.url"…"""
    text: str
    grade: Grade = Grade.REFUSED
    other: Optional[Item] = None
    """The entry with which this one clashes."""


@dataclass(frozen=True)
class Twin:
    """A phrasing that somebody else's entry has already."""

    text: str
    likeness: float
    """100: the same, but for accents, case, punctuation and short forms."""
    other: Optional[Item]
    """None: an example of what is out of scope."""


@dataclass
class Sayings:
    """Every phrasing of all entries, to find the like of one."""

    abbreviations: Abbreviations
    _keys: dict[str, str] = field(default_factory=dict)
    _built: Optional[Snapshot] = None
    _texts: list[str] = field(default_factory=list)
    _owners: list[Optional[Item]] = field(default_factory=list)
    _folded: list[str] = field(default_factory=list)
    _sorted: list[str] = field(default_factory=list)

    def key(self, text: str) -> str:
        """What is left of a phrasing when accents, case, punctuation and short forms are not looked at."""
        found = self._keys.get(text)
        if found is None:
            if len(self._keys) > REMEMBERED:
                self._keys.clear()
            found = self._keys[text] = fold(" ".join(map(self.abbreviations.expand_word, words(clean(text)))))
        return found

    def use(self, snapshot: Snapshot) -> Sayings:
        """Look among the entries of a snapshot."""
        if self._built is not snapshot:
            pairs: list[tuple[str, Optional[Item]]] = [
                (text, item) for item in snapshot.items if not item.retired for text in said(item)
            ]
            pairs += [(text, None) for text in snapshot.examples]
            self._texts, self._owners = [text for text, _ in pairs], [item for _, item in pairs]
            self._folded = [self.key(text) for text in self._texts]
            self._sorted = [" ".join(sorted(text.split())) for text in self._folded]
            self._built = snapshot
        return self

    def twins(self, text: str, own: Optional[Item] = None, least: float = NEAR, most: int = 20) -> list[Twin]:
        """The phrasings of other entries most like a text, likest first; words in another order count as like."""
        key = self.key(text)
        found: dict[int, float] = {}
        for query, choices in ((key, self._folded), (" ".join(sorted(key.split())), self._sorted)):
            hits = process.extract(query, choices, scorer=fuzz.ratio, score_cutoff=least, limit=most + 150)
            for _, likeness, at in hits:
                found[at] = max(found.get(at, 0.0), likeness)
        best = sorted(found.items(), key=lambda pair: -pair[1])
        twins = [Twin(self._texts[at], likeness, self._owners[at]) for at, likeness in best]
        return [twin for twin in twins if twin.other is None or not same_entry(twin.other, own)][:most]


def said(item: Item) -> Iterable[str]:
    """Everything by which an entry is found."""
    yield from item.phrasings
    if "question" in item.values:
        yield str(item.values["question"])


def same_entry(one: Item, other: Optional[Item]) -> bool:
    return other is not None and one.id == other.id


@dataclass(frozen=True)
class Checker:
    """Checks entries against all others, the catalogue, the calendar and the web."""

    snapshot: Snapshot
    sayings: Sayings
    codes: Mapping[str, str]
    """Procedures of the catalogue: code → name."""
    today: date
    links: Optional[Links] = None
    """None: links are looked at, but their servers are not asked."""
    gone: frozenset[tuple[str, str]] = frozenset()
    """Phrasings (id of their entry, key) that are about to be taken away, and may be used elsewhere."""

    def check(self, kind: Kind, values: Mapping[str, Any], own: Optional[Item] = None, key: str = "") -> list[Finding]:
        """What is wrong with an entry, in the order of the form.

        Args:
            values: as they would be written; strings where a date was not understood.
            own: the entry as it is now; None: it is new. What it had before is not held against it.
            key: of a new procedure's entry, its code.
        """
        findings: list[Finding] = []
        if kind.name == "procedure":
            findings += self._code(key, own)
        for name, label in _LINES.items():
            if name in kind.fields and name not in ("owner",):
                findings += _line(name, label, str(values.get(name) or ""))
        if kind.name == "missing":
            findings += self._one_name(str(values.get("name") or ""), own)
        if kind.name == "faq":
            findings += self._question(str(values.get("question") or ""), own)
        if "choices" in kind.fields:
            findings += self._choices(list(values.get("choices") or []), own)
        findings += self._phrasings(kind, list(values.get("phrasings") or []), own)
        if "answer" in kind.fields:
            findings += _answer(str(values.get("answer") or ""))
        if "sources" in kind.fields:
            findings += self._sources(list(values.get("sources") or []), own)
        findings += _line("owner", "Người phụ trách", str(values.get("owner") or "x"))
        findings += self._review(values.get("review"), own)
        return findings

    def _code(self, key: str, own: Optional[Item]) -> list[Finding]:
        if not key:
            return [Finding("key", "Chưa có mã thủ tục.")]
        if key not in self.codes:
            return [Finding("key", f"Danh mục không có thủ tục mã {key}.")] if own is None else []
        return []

    def _one_name(self, name: str, own: Optional[Item]) -> list[Finding]:
        taken = next((i for i in self.snapshot.items if i.kind.name == "missing" and i.key == slug(name)), None)
        if name and taken is not None and not same_entry(taken, own):
            return [Finding("name", f"Đã có mục tên “{taken.title}”.", other=taken)]
        return []

    def _question(self, question: str, own: Optional[Item]) -> list[Finding]:
        if not question or (own is not None and question == own.values.get("question")):
            return []
        return self._alike("question", "Câu hỏi", question, own)

    def _choices(self, choices: Sequence[str], own: Optional[Item]) -> list[Finding]:
        findings = [Finding("choices", f"Danh mục không có thủ tục mã {c}.") for c in choices if c not in self.codes]
        if not 2 <= len(set(choices)) <= 4:
            text = f"Cần từ 2 đến 4 thủ tục để người dân chọn, đang có {len(set(choices))}."
            findings.append(Finding("choices", text))
        if len(set(choices)) < len(choices):
            findings.append(Finding("choices", "Có thủ tục được chọn hai lần."))
        return findings

    def _phrasings(self, kind: Kind, phrasings: Sequence[str], own: Optional[Item]) -> list[Finding]:
        before = set(own.phrasings) if own else set()
        findings = []
        if len(phrasings) < kind.fewest:
            worse = own is None or len(phrasings) < len(before)
            text = f"Cần ít nhất {kind.fewest} cách hỏi, đang có {len(phrasings)}."
            findings.append(Finding("phrasings", text, Grade.REFUSED if worse else Grade.NOTED))
        if len(phrasings) > MOST_PHRASINGS:
            findings.append(Finding("phrasings", f"Tối đa {MOST_PHRASINGS} cách hỏi, đang có {len(phrasings)}."))
        counted = Counter(self.sayings.key(text) for text in phrasings)
        seen: dict[str, int] = {}
        for number, text in enumerate(phrasings, 1):
            key = self.sayings.key(text)
            if key in seen:
                finding = f"Dòng {number} “{text}” trùng dòng {seen[key]} (không kể dấu)."
                old = text in before and counted[key] > 1 and phrasings[seen[key] - 1] in before
                findings.append(Finding("phrasings", finding, Grade.NOTED if old else Grade.REFUSED))
                continue
            seen[key] = number
            if text not in before:
                findings += phrasing_findings(number, text)
                findings += self._alike("phrasings", f"Dòng {number}", text, own)
        return findings

    def _alike(self, where: str, label: str, text: str, own: Optional[Item]) -> list[Finding]:
        near = self.sayings.use(self.snapshot).twins(text, own, most=1 + 4 * bool(self.gone))
        twins = [t for t in near if t.other is None or (t.other.id, self.sayings.key(t.text)) not in self.gone]
        if not twins or not self.sayings.key(text):
            return []
        twin = twins[0]
        home = f"“{twin.other.title}” (tệp {twin.other.file})" if twin.other else f"câu ngoài phạm vi (tệp {EXAMPLES})"
        if twin.likeness >= 100:
            return [Finding(where, f"{label} “{text}” đã có ở {home}.", other=twin.other)]
        told = f"{label} “{text}” gần giống “{twin.text}” của {home}."
        return [Finding(where, told, Grade.ASKED, twin.other)]

    def _sources(self, sources: Sequence[Mapping[str, Any]], own: Optional[Item]) -> list[Finding]:
        if not sources:
            return [Finding("sources", "Chưa có nguồn: mỗi câu trả lời cần ít nhất một nguồn, có ngày.")]
        before = {each.get("url") for each in own.values["sources"]} if own else set()
        new = [str(each["url"]) for each in sources if each.get("url") and each["url"] not in before]
        verdicts = self.links.check(new) if self.links else {}
        findings = []
        for number, each in enumerate(sources):
            label, here = f"Nguồn {number + 1}", f"sources.{number}"
            title, url, as_of = str(each.get("title") or ""), each.get("url"), each.get("as_of")
            findings += _line(f"{here}.title", f"Tên {label.lower()}", title)
            if url in new:
                verdict = verdicts.get(str(url)) or shape(str(url))
                if verdict is not None and verdict.state is not State.ALIVE:
                    grade = _GRADES[verdict.state]
                    findings.append(Finding(f"{here}.url", f"{label}: liên kết {verdict.why}.", grade))
            findings += self._as_of(f"{here}.as_of", label, as_of)
        return findings

    def _as_of(self, where: str, label: str, as_of: Any) -> list[Finding]:
        if not as_of:
            return [Finding(where, f"{label}: chưa ghi ngày của thông tin.")]
        if not isinstance(as_of, date):
            return [Finding(where, f"{label}: “{as_of}” không phải ngày (ví dụ 23/11/2026).")]
        if as_of > self.today:
            told = f"{label}: ngày {as_of:%d/%m/%Y} ở tương lai (hôm nay {self.today:%d/%m/%Y})."
            return [Finding(where, told)]
        return []

    def _review(self, review: Any, own: Optional[Item]) -> list[Finding]:
        if not review or (own is not None and review == own.values.get("review")):
            return []
        if not isinstance(review, date):
            return [Finding("review", f"Ngày rà soát “{review}” không phải ngày (ví dụ 31/03/2027).")]
        if review < self.today:
            return [Finding("review", f"Ngày rà soát {review:%d/%m/%Y} đã qua.", Grade.NOTED)]
        return []


_LINES = {
    "question": "Câu hỏi",
    "name": "Tên ngắn",
    "field": "Lĩnh vực",
    "keyword": "Từ khóa",
    "owner": "Người phụ trách",
}
_GRADES = {State.WRONG: Grade.REFUSED, State.DEAD: Grade.ASKED, State.UNKNOWN: Grade.NOTED}


def _line(name: str, label: str, text: str) -> list[Finding]:
    if not text:
        return [Finding(name, f"{label}: chưa ghi.")]
    if len(text) > LONGEST_LINE:
        return [Finding(name, f"{label}: dài {len(text)} ký tự, tối đa {LONGEST_LINE}.")]
    return []


def phrasing_findings(number: int, text: str, where: str = "phrasings") -> list[Finding]:
    """What is wrong with one line of a field, but for what other entries say."""
    if len(text) > LONGEST_PHRASING:
        return [Finding(where, f"Dòng {number} dài {len(text)} ký tự, tối đa {LONGEST_PHRASING}.")]
    if not words(text):
        return [Finding(where, f"Dòng {number} “{text}” không có chữ nào.")]
    if mask(text) != text or "[" in text:
        told = f"Dòng {number} “{text}” có vẻ chứa số điện thoại, số giấy tờ hoặc dấu ngoặc vuông: bạn bỏ phần đó đi."
        return [Finding(where, told)]
    return []


def _answer(answer: str) -> list[Finding]:
    if not answer:
        return [Finding("answer", "Câu trả lời: chưa ghi.")]
    if len(answer) > LONGEST_ANSWER:
        return [Finding("answer", f"Câu trả lời dài {len(answer)} ký tự, tối đa {LONGEST_ANSWER}.")]
    return []
