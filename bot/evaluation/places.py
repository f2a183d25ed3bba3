"""Judges how places are read. The place linker alone is asked: no model is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.catalogue.places import Found, Mention, Places
from bot.evaluation.files import PlaceCase


@dataclass(frozen=True)
class PlaceResult:
    case: PlaceCase
    mention: Mention

    @property
    def right(self) -> bool:
        """A unit: that one. A choice: at least two of the right ones, and no other."""
        expected = "nothing" if self.case.found == "none" else self.case.found
        if self.mention.found.value != expected:
            return False
        if self.mention.found is Found.UNIT:
            return self.mention.units[0] in self.case.units
        if self.mention.found is Found.CHOICE:
            return len(self.mention.units) >= 2 and set(self.mention.units) <= set(self.case.units)
        return True


def evaluate(places: Places, cases: Iterable[PlaceCase], day: date) -> list[PlaceResult]:
    return [PlaceResult(case, places.find(case.text, day)) for case in cases]
