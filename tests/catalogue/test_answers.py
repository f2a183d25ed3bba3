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
