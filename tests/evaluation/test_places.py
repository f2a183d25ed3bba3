from __future__ import annotations

import pytest

from bot.catalogue.store import Catalogue
from bot.evaluation import places
from bot.evaluation.files import PlaceCase
from tests.conftest import TODAY


@pytest.mark.parametrize(
    ("text", "found", "units", "right"),
    [
        ("phường Bạch Mai", "unit", ["00277"], True),
        ("phường Bạch Mai", "unit", ["00187"], False),
        ("phường Bạch Mai", "choice", ["00277", "00187"], False),
        ("phường Trương Định cũ", "choice", ["00277", "00313", "00187"], True),
        ("phường Trương Định cũ", "choice", ["00277", "00187"], False),
        ("lệ phí bao nhiêu", "none", [], True),
    ],
)
def test_a_place_is_judged(catalogue: Catalogue, text: str, found: str, units: list[str], right: bool) -> None:
    case = PlaceCase(id="1", text=text, found=found, units=units)
    assert places.evaluate(catalogue.places, [case], TODAY)[0].right is right
