from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.catalogue.answers import FACETS, Question, Writer, by_weight, day_text
from bot.catalogue.records import DEAD_LINKS
from bot.catalogue.store import Catalogue
from tests.conftest import TODAY

KEYS = {
    "kind", "facet", "facets", "procedure", "choices", "unit", "office", "competence", "links", "sources", "confidence",
}  # fmt: skip
RESIDENCE, BIRTH, BUILDING = "1.004222", "1.001193", "1.013225"


@pytest.fixture(scope="module")
def writer(catalogue: Catalogue) -> Writer:
    return Writer(catalogue)


def ask(writer: Writer, procedure: str, *facets: str, **more: Any) -> Any:
    question = Question(procedure, facets or ("office",), day=TODAY, today=TODAY)
    return writer.procedure(replace(question, **more))


def ward(catalogue: Catalogue, name: str) -> str:
    return next(u.code for u in catalogue.places.units.values() if u.name == name and u.holds_on(TODAY))


def test_the_office_answer_names_office_reason_link_source_and_date(catalogue: Catalogue, writer: Writer) -> None:
    answer = ask(writer, RESIDENCE, unit=ward(catalogue, "Phường Bạch Mai"))
    assert answer.payload["office"]["name"] == "Công an phường Bạch Mai"
    assert answer.payload["unit"]["name"] == "Phường Bạch Mai"
    assert answer.payload["competence"]["certain"] is True
    link = str(catalogue.procedures[RESIDENCE].online_url)
    assert answer.payload["links"][0]["url"] == link
    assert all(source["as_of"] for source in answer.payload["sources"])
    for said in ("Công an phường Bạch Mai", link, "68/2020/QH14", "20/7/2026"):
        assert said in answer.text


def test_a_delegated_procedure_shows_its_chain(catalogue: Catalogue, writer: Writer) -> None:
    answer = ask(writer, BUILDING, unit=ward(catalogue, "Phường Bạch Mai"))
    chain = answer.payload["competence"]["chain"]
    assert [(step["decision"], step["kind"], step["to"]) for step in chain] == [
        ("140/2025/NĐ-CP", "phan_quyen", "UBND phường Bạch Mai")
    ]
    assert "140/2025/NĐ-CP" in answer.text


def test_an_ended_chain_is_not_presented_as_valid(writer: Writer) -> None:
    day = date(2027, 3, 2)
    answer = ask(writer, BUILDING, day=day, today=day)
    assert answer.payload["office"] is None
    assert answer.payload["competence"]["chain"] == [] and not answer.payload["competence"]["certain"]
    assert "chưa có trong dữ liệu" in answer.text


def test_a_past_day_is_answered_as_it_was(writer: Writer) -> None:
    past = date(2025, 2, 28)
    answer = ask(writer, "3.000347", unit="cu-quan-long-bien", day=past)
    assert answer.payload["office"]["name"] == "Bộ phận Một cửa quận Long Biên"
    assert answer.payload["competence"]["as_of"] == "2025-02-28"


def test_a_split_ward_is_asked_about_only_when_the_answer_depends_on_it(catalogue: Catalogue, writer: Writer) -> None:
    units = (ward(catalogue, "Phường Ba Đình"), ward(catalogue, "Phường Ngọc Hà"))
    office = ask(writer, BIRTH, "office", unit_choices=units, place_name="Phường Ngọc Hà")
    assert office.payload["kind"] == "place_needed"
    assert [choice["code"] for choice in office.payload["choices"]] == list(units)
    assert len(office.buttons) == 2
    assert ask(writer, BIRTH, "fee", unit_choices=units).payload["kind"] == "procedure"
    city = next(c for c in catalogue.procedures if catalogue.competence(c, None, TODAY).authority == "so-tu-phap")
    assert ask(writer, city, "office", unit_choices=units).payload["kind"] == "procedure"


def test_every_facet_of_every_procedure_can_be_answered(catalogue: Catalogue, writer: Writer) -> None:
    unit = ward(catalogue, "Phường Bạch Mai")
    for code in catalogue.local_procedures():
        answer = ask(writer, code, *FACETS, unit=unit)
        assert answer.payload.keys() == KEYS
        assert answer.payload["facets"] == list(FACETS) and answer.payload["facet"] == "office"
        assert answer.payload["links"] and answer.payload["sources"]
        assert not any(mark in answer.text for mark in (*DEAD_LINKS, "None", "{unit}"))
        assert "Trung tâm phục vụ hành chính công phường" not in answer.text


def test_what_is_not_known_is_said_to_be_not_known(catalogue: Catalogue, writer: Writer) -> None:
    bare = next(
        p.code for p in catalogue.local_procedures().values()
        if p.time_value is None and p.code not in catalogue.guides and p.fee_vnd is None
    )  # fmt: skip
    for facet in ("time", "documents", "fee"):
        assert "chưa có trong dữ liệu" in ask(writer, bare, facet).text


def test_a_missing_procedure_presents_no_other(writer: Writer) -> None:
    answer = writer.no_record("Đăng ký tuyển sinh lớp 1", "tuyển sinh")
    assert answer.payload["kind"] == "no_record" and answer.payload["procedure"] is None
    assert "dvc-ket-qua-thu-tuc?keyword=tuy%E1%BB%83n%20sinh" in answer.payload["links"][0]["url"]


def test_choices_are_numbered_and_can_be_tapped(writer: Writer) -> None:
    answer = writer.choices([RESIDENCE, BIRTH], ("fee",))
    assert [choice["code"] for choice in answer.payload["choices"]] == [RESIDENCE, BIRTH]
    assert answer.buttons[0].payload == '/choose{"procedure": "1.004222"}'
    assert answer.text.splitlines()[1].startswith("1. ")


def test_laws_come_before_decrees_and_newer_before_older() -> None:
    assert by_weight(["55/2021/TT-BCA", "154/2024/NĐ-CP", "58/2026/NĐ-CP", "68/2020/QH14"]) == [
        "68/2020/QH14",
        "58/2026/NĐ-CP",
        "154/2024/NĐ-CP",
        "55/2021/TT-BCA",
    ]
    assert day_text(date(2026, 7, 20)) == "20/7/2026"


def test_why_is_two_sentences_with_the_documents_links(catalogue: Catalogue, writer: Writer) -> None:
    unit = ward(catalogue, "Phường Bạch Mai")
    answer = ask(writer, "2.000806", "delegation", unit=unit)
    reason = next(line for line in answer.text.splitlines() if "Vì sao" in line)
    assert "Trước 1/7/2025, việc này thuộc UBND cấp huyện. Từ 1/7/2025 đến hết 1/3/2027" in reason
    assert reason.count(". ") == 1 and reason.endswith("cho UBND phường Bạch Mai.")
    url = str(catalogue.decisions["120/2025/NĐ-CP"].url)
    assert url in answer.text and url in [link["url"] for link in answer.payload["links"]]
    assert "Từ 1/7/2025" in ask(writer, "2.000806", "legal", unit=unit).text
    assert "tra tại https://vbpl.vn" in ask(writer, BUILDING, "delegation", unit=unit).text


def test_the_last_day_of_the_licence_desks_says_at_what_hour_they_stopped(writer: Writer) -> None:
    for facet in ("office", "delegation"):
        last = ask(writer, "3.000347", facet, unit="cu-quan-long-bien", day=date(2025, 2, 28))
        assert "11 giờ" in last.text
        before = ask(writer, "3.000347", facet, unit="cu-quan-long-bien", day=date(2025, 2, 27))
        assert "11 giờ" not in before.text and "ngày bắt đầu chưa có trong dữ liệu" in before.text


def test_an_ended_decree_is_marked_among_the_legal_basis(writer: Writer) -> None:
    day = date(2027, 3, 2)
    assert "140/2025/NĐ-CP (đã hết hiệu lực)" in ask(writer, BUILDING, "legal", day=day, today=day).text
    assert "đã hết hiệu lực" not in ask(writer, BUILDING, "legal").text


def test_a_former_ward_is_named_with_its_district(catalogue: Catalogue, writer: Writer) -> None:
    old = next(u.code for u in catalogue.places.units.values() if u.name == "Phường Bạch Mai" and u.parent)
    heading = ask(writer, RESIDENCE, unit=old, day=date(2024, 3, 1)).text.splitlines()[0]
    assert heading.endswith("Phường Bạch Mai, quận Hai Bà Trưng (tính ngày 1/3/2024)")


def test_the_register_says_what_replaced_what(writer: Writer) -> None:
    old, new = (writer.decisions("x", (number,), TODAY).text for number in ("77/2015/QH13", "65/2025/QH15"))
    assert "không còn hiệu lực" in old and "Được thay bằng Luật 65/2025/QH15" in old
    assert "Thay cho Luật 77/2015/QH13" in new
    plan = writer.decisions("x", ("4610/QĐ-UBND",), TODAY).text
    assert "không còn hiệu lực (có hiệu lực từ 1/1/2023 đến hết 31/12/2023)" in plan
    assert "còn hiệu lực" in writer.decisions("x", ("4610/QĐ-UBND",), date(2023, 6, 1)).text
