"""What the package ships: complete, sourced, and free of what must never be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.catalogue import check
from bot.catalogue.records import DEAD_LINKS, Level
from bot.catalogue.store import Catalogue
from tests.conftest import TODAY


def test_every_city_and_commune_procedure_has_someone_who_decides(catalogue: Catalogue) -> None:
    local = [p for p in catalogue.procedures.values() if {Level.CITY, Level.COMMUNE} & set(p.levels)]
    assert len(local) == 1678
    unknown = [p.code for p in local if catalogue.competence(p.code, None, TODAY).authority is None]
    assert unknown == []


def test_every_link_is_of_the_portals_present_form(catalogue: Catalogue) -> None:
    for procedure in catalogue.procedures.values():
        url = procedure.online_url
        if url is not None:
            assert urlsplit(url).netloc == "dichvucong.gov.vn" and "/thu-tuc-hanh-chinh/" in url
            assert not any(mark in url for mark in DEAD_LINKS)


def test_no_row_is_without_source_and_date(catalogue: Catalogue) -> None:
    for rows in (catalogue.procedures, catalogue.guides, catalogue.decisions, catalogue.service_points):
        assert all(row.source and row.as_of <= TODAY for row in rows.values())


def test_there_are_no_commune_centres(catalogue: Catalogue) -> None:
    desks = [point for point in catalogue.service_points.values() if point.kind == "diem_xa"]
    assert len(desks) == 126
    assert all(str(point.name).startswith("Điểm phục vụ hành chính công") for point in desks)


def test_the_most_asked_have_a_guide(catalogue: Catalogue) -> None:
    assert len(catalogue.guides) >= 60
    assert set(catalogue.guides) <= set(catalogue.procedures)


def test_the_check_finds_no_contradiction_but_names_what_is_missing(catalogue: Catalogue) -> None:
    findings = check.check(catalogue, TODAY)
    assert [f for f in findings if f.severity == check.CONTRADICTION] == []
    assert {f.table for f in findings if f.severity == check.MISSING} >= {"procedure", "service_point"}
    assert any(f.severity == check.EXPIRED and f.key == "4610/QĐ-UBND" for f in findings)
