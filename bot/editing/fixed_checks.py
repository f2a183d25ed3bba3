"""What is wrong with a fixed question, said before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Optional

from bot.catalogue.records import Unit
from bot.editing.checks import Finding, Grade, phrasing_findings, same_entry
from bot.editing.editor import FIXED, Item, Snapshot
from bot.evaluation.fixed import EXPECTED, FACETS, KINDS
from bot.text import clean, fold

MOST_TURNS = 8
LONGEST_OFFICE = 100
ABOUT_PROCEDURES = ("procedure", "place_needed", "choices")
"""Kinds of answers that can speak of a procedure."""


@dataclass(frozen=True)
class FixedChecker:
    """Checks fixed questions against one another and the catalogue."""

    snapshot: Snapshot
    codes: Mapping[str, str]
    """Procedures of the catalogue: code → name."""
    units: Sequence[Unit]
    today: date

    def check(self, values: Mapping[str, Any], turns: Sequence[str], own: Optional[Item] = None) -> list[Finding]:
        """What is wrong, in the order of the form.

        Args:
            values: as they would be written.
            turns: what is asked, line by line.
            own: the question as it is now; None: it is new.
        """
        expect: Mapping[str, Any] = values.get("expect") or {}
        findings = [*self._ask(turns, own), *self._twins(turns, own)]
        if not expect:
            findings.append(Finding("expect", "Chưa ghi điều phải đúng: bạn chọn ít nhất một ô."))
        findings += self._codes(expect)
        findings += _choice("kind", expect.get("kind"), KINDS)
        findings += _choice("facet", expect.get("facet"), FACETS)
        findings += self._unit(str(expect.get("unit") or ""))
        findings += _office(str(expect.get("office") or ""))
        findings += _at_odds(expect)
        return findings

    def unit_named(self, typed: str) -> str:
        """A ward as the bot names it, however it was typed; what is none stays as it is."""
        found = self._units(typed)
        return found[0] if len(found) == 1 else clean(typed)

    def _units(self, typed: str) -> list[str]:
        """The names that what was typed may stand for: today's before former ones, whole before bare ones."""
        wanted = fold(clean(typed))
        exact = {unit.code for unit in self.units} | {unit.name for unit in self.units}
        if clean(typed) in exact:
            return [clean(typed)]
        todays = [unit for unit in self.units if unit.holds_on(self.today)]
        for units in (todays, self.units):
            whole = dict.fromkeys(unit.name for unit in units if fold(unit.name) == wanted)
            bare = dict.fromkeys(unit.name for unit in units if fold(unit.bare_name) == wanted)
            if whole or bare:
                return list(whole or bare)
        return []

    def _ask(self, turns: Sequence[str], own: Optional[Item]) -> Iterable[Finding]:
        if not turns:
            yield Finding("ask", "Câu hỏi: chưa ghi.")
        if len(turns) > MOST_TURNS:
            yield Finding("ask", f"Tối đa {MOST_TURNS} câu nối tiếp, đang có {len(turns)}.")
        before = set(own.turns) if own else set()
        for number, text in enumerate(turns, 1):
            if text not in before:
                yield from phrasing_findings(number, text, "ask")

    def _twins(self, turns: Sequence[str], own: Optional[Item]) -> Iterable[Finding]:
        told, folded = _key(turns), [fold(turn) for turn in turns]
        others = [item for item in self.snapshot.of(FIXED) if turns and not same_entry(item, own)]
        twin = next((item for item in others if _key(item.turns) == told), None)
        if twin is not None:
            again = " (đã ngừng dùng: bạn mở câu đó, bấm “Dùng lại”)" if twin.retired else ""
            yield Finding("ask", f"Câu này đã có trong danh sách{again}.", other=twin)
            return
        # Not held against it: that a question is understood without accents, too, is worth a question of its own.
        like = next((item for item in others if [fold(turn) for turn in item.turns] == folded), None)
        if like is not None:
            yield Finding("ask", f"Đã có câu “{like.title}”, chỉ khác dấu.", Grade.NOTED, like)

    def _codes(self, expect: Mapping[str, Any]) -> Iterable[Finding]:
        code = expect.get("procedure")
        if code and code not in self.codes:
            yield Finding("procedure", f"Danh mục không có thủ tục mã {code}.")
        for each in expect.get("offers") or ():
            if each not in self.codes:
                yield Finding("offers", f"Danh mục không có thủ tục mã {each}.")

    def _unit(self, typed: str) -> Iterable[Finding]:
        found = self._units(typed) if typed else []
        if typed and not found:
            yield Finding("unit", f"Hà Nội không có phường, xã nào tên “{typed}”.")
        if len(found) > 1:
            yield Finding("unit", f"“{typed}” chưa rõ: bạn ghi đủ tên, {' hoặc '.join(found)}.")


def _key(turns: Sequence[str]) -> list[str]:
    return [" ".join(turn.lower().split()).strip(" .?!") for turn in turns]


def _choice(name: str, value: Any, known: Mapping[str, str]) -> Iterable[Finding]:
    if value and value not in known:
        yield Finding(name, f"{EXPECTED[name]}: không có lựa chọn “{value}”.")


def _office(text: str) -> Iterable[Finding]:
    if len(text) > LONGEST_OFFICE:
        yield Finding("office", f"{EXPECTED['office']}: dài {len(text)} ký tự, tối đa {LONGEST_OFFICE}.")


def _at_odds(expect: Mapping[str, Any]) -> Iterable[Finding]:
    """Things of which not all can be true of one answer."""
    kind = expect.get("kind")
    about = [EXPECTED[name].lower() for name in ("procedure", "facet", "office", "offers") if expect.get(name)]
    if kind in KINDS and kind not in ABOUT_PROCEDURES and about:
        told = f"Loại trả lời “{KINDS[kind]}” không nói tới {', '.join(about)}: bạn bỏ bớt một bên."
        yield Finding("kind", told, Grade.ASKED)
