"""Documents as citizens name them, and until when they hold."""

from __future__ import annotations

from datetime import date
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import register
from bot.catalogue.records import Decision
from bot.catalogue.store import Catalogue
from bot.text import fold


def decision(number: str, **more: Any) -> Decision:
    return Decision(
        **{"number": number, "issuer": "thử", "title": "thử", "source": "thử", "as_of": "2026-01-01", **more}
    )


def register_of(*rows: Decision) -> dict[str, Decision]:
    return {row.number: row for row in rows}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Quyết định 4610/QĐ-UBND là gì, còn hiệu lực không?", "4610/QĐ-UBND"),
        ("quyết định số 4610 QĐ UBND", "4610/QĐ-UBND"),
        ("4610/QĐUBND còn hiệu lực ko", "4610/QĐ-UBND"),
        ("QĐ4610", "4610/QĐ-UBND"),
        ("quyết định 4610 năm 2023 còn hiệu lực không", "4610/QĐ-UBND"),
        ("nghị định 151 còn hiệu lực không", "151/2025/NĐ-CP"),
        ("nghị địn 151", "151/2025/NĐ-CP"),
        ("ngị định 151", "151/2025/NĐ-CP"),
        ("NĐ 118/2025", "118/2025/NĐ-CP"),
        ("nghị định 118/25", "118/2025/NĐ-CP"),
        ("nghị định 118 năm 2025", "118/2025/NĐ-CP"),
        ("nghị định số: 118-2025", "118/2025/NĐ-CP"),
        ("118/2025/ND CP", "118/2025/NĐ-CP"),
        ("luật 72/2025/QH15", "72/2025/QH15"),
        ("nq31", "31/2024/NQ-HĐND"),
        ("cv 889", "889/UBND-KT"),
        ("văn bản 3528/UBND-NC là gì", "3528/UBND-NC"),
    ],
)
def test_a_document_is_found_as_people_name_it(catalogue: Catalogue, text: str, number: str) -> None:
    for written in (text, fold(text), text.upper()):
        found = register.find(written, catalogue.decisions)
        assert found is not None and found.numbers == (number,)


@pytest.mark.parametrize(
    "text",
    ["nghị định 999/2025", "nghị định 118 năm 2024", "quyết định 4160/QĐ-UBND", "thông tư 55/2021", "nghị định 77"],
)
def test_a_document_that_we_do_not_have_is_no_other(catalogue: Catalogue, text: str) -> None:
    found = register.find(text, catalogue.decisions)
    assert found is not None and found.numbers == ()


@pytest.mark.parametrize(
    "text",
    ["số 4610", "gia đình 4 người", "căn hộ 120/2025", "ngày 28/2/2025", "CCCD số 001099012345", "văn bản 3", "120 m2"],
)
def test_a_number_alone_is_no_document(catalogue: Catalogue, text: str) -> None:
    assert register.find(text, catalogue.decisions) is None


def test_a_number_of_several_years_is_all_of_them_until_the_year_is_said() -> None:
    known = register_of(decision("118/2025/NĐ-CP"), decision("118/2021/NĐ-CP"), decision("118/2021/TT-BTC"))
    found = register.find("nghị định 118", known)
    assert found is not None and set(found.numbers) == {"118/2025/NĐ-CP", "118/2021/NĐ-CP"}
    found = register.find("nghị định 118/2021", known)
    assert found is not None and found.numbers == ("118/2021/NĐ-CP",)


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    found = register.find(text, register_of(decision("1/QĐ-UBND")))
    assert found is None or 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    ("old", "new", "last"),
    [
        ({}, {"valid_from": "2025-07-01"}, date(2025, 6, 30)),
        ({"valid_to": "2025-03-31"}, {"valid_from": "2025-07-01"}, date(2025, 3, 31)),
        ({"valid_to": "2027-01-01"}, {"valid_from": "2025-07-01"}, date(2025, 6, 30)),
        ({}, {"issued_on": "2025-05-02"}, date(2025, 5, 1)),
        ({"as_of": "2025-08-01"}, {}, date(2025, 7, 31)),
        ({"valid_to": "2027-01-01"}, {}, date(2027, 1, 1)),
    ],
)
def test_a_replaced_document_ends_before_its_successor(old: Any, new: Any, last: Optional[date]) -> None:
    known = register_of(decision("1/QĐ", replaced_by="2/QĐ", **old), decision("2/QĐ", **new))
    assert register.last_day(known["1/QĐ"], known) == last
    closed = register.closed(known.values())["1/QĐ"]
    assert register.is_in_force(closed, date(2030, 1, 1)) is False


def test_a_document_of_unknown_dates_is_neither_in_force_nor_not() -> None:
    assert register.is_in_force(decision("1/QĐ"), date(2026, 1, 1)) is None


def test_a_document_cannot_replace_itself() -> None:
    with pytest.raises(ValueError, match="tự thay"):
        decision("1/QĐ", replaced_by="1/QĐ")
