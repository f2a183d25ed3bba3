"""What differs between two versions of an entry, for people to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.editing.editor import Kind
from bot.evaluation.fixed import EXPECTED, FACETS, KINDS

LABELS: Mapping[str, str] = {
    "question": "Câu hỏi",
    "name": "Tên ngắn",
    "field": "Lĩnh vực",
    "keyword": "Từ khóa tìm trên Cổng",
    "owner": "Người phụ trách",
    "review": "Ngày rà soát",
    "retired": "Ngừng dùng",
    "choices": "Thủ tục để chọn",
    "phrasings": "Cách hỏi",
    "answer": "Câu trả lời",
    "sources": "Nguồn",
    "ask": "Câu hỏi",
    "expect": "Điều phải đúng",
    "file": "Tệp",
}


@dataclass(frozen=True)
class Difference:
    """One field that is not the same; of lists only what one of them lacks."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def label(self) -> str:
        return LABELS[self.name]

    @property
    def summary(self) -> str:
        """A few words, for the audit log."""
        if self.name in ("phrasings", "sources", "choices"):
            counts = [("thêm", len(self.after)), ("bớt", len(self.before))]
            told = ", ".join(f"{verb} {count}" for verb, count in counts if count)
            return f"{self.label.lower()}: {told or 'đổi thứ tự'}"
        return self.label.lower()


def differences(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Field by field, in the order in which they are written."""
    return [
        _difference(name, before.get(name), after.get(name)) for name in kind.fields if _differ(name, before, after)
    ]


def summary(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return "; ".join(each.summary for each in differences(kind, before, after)) or "không đổi"


def _differ(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return (before.get(name) or None) != (after.get(name) or None)


def _difference(name: str, before: Any, after: Any) -> Difference:
    old, new = list(_lines(before)), list(_lines(after))
    if name not in ("phrasings", "sources", "choices", "expect"):
        return Difference(name, tuple(old), tuple(new))
    return Difference(
        name, tuple(line for line in old if line not in new), tuple(line for line in new if line not in old)
    )


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from expected_lines(value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield source_line(each) if isinstance(each, Mapping) else str(each)
    elif isinstance(value, bool):
        yield "có" if value else "không"
    elif isinstance(value, date):
        yield f"{value:%d/%m/%Y}"
    elif value not in (None, ""):
        yield str(value)


def expected_lines(expect: Mapping[str, Any]) -> Iterator[str]:
    """What is expected of an answer to a fixed question, point by point."""
    words = {"kind": KINDS, "facet": FACETS}
    for name, label in EXPECTED.items():
        value = expect.get(name)
        if value:
            told = ", ".join(value) if isinstance(value, (list, tuple)) else words.get(name, {}).get(value, value)
            yield f"{label}: {told}"


def source_line(source: Mapping[str, Any], between: str = " · ") -> str:
    """A source on one line: what, where, when."""
    as_of = source.get("as_of")
    when = f"{as_of:%d/%m/%Y}" if isinstance(as_of, date) else str(as_of or "")
    return between.join(filter(None, (str(source.get("title") or ""), str(source.get("url") or ""), when)))
