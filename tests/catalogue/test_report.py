"""The delegation report: figures counted by hand on a tiny catalogue, then the shipped one, then the files."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.catalogue import report
from bot.catalogue.competence import Phase, Rules, Verdict
from bot.catalogue.places import Places
from bot.catalogue.records import (
    Authority,
    BaseCompetence,
    Decision,
    Delegation,
    DelegationKind,
    Level,
    Procedure,
    Unit,
)
from bot.catalogue.report import Pair
from bot.catalogue.store import Catalogue
from tests.conftest import TODAY

START = date(2026, 1, 1)
SOURCED = {"source": "thử", "as_of": START}
BIRTH, DEATH, HOUSE, ROAD = "1.000001", "1.000002", "1.000003", "1.000004"
AUTHORITIES = [
    Authority(code="tp", name="UBND thành phố", level="thanh_pho", kind="ubnd"),
    Authority(code="so", name="Sở A", level="thanh_pho", kind="so"),
    Authority(code="xa", name="UBND phường, xã", level="xa", kind="ubnd"),
]
UNITS = [
    Unit(code="q", name="Quận Cũ", kind="quan", **SOURCED),
    Unit(code="p1", name="Phường Một", kind="phuong", parent="q", **SOURCED),
    Unit(code="p2", name="Phường Hai", kind="phuong", parent="q", **SOURCED),
    Unit(code="x3", name="Xã Ba", kind="xa", **SOURCED),
    Unit(code="x0", name="Xã Trước", kind="xa", valid_to="2025-06-30", **SOURCED),
]
DECISIONS = [
    Decision(number="1/QĐ", issuer="UBND", title="Còn hiệu lực", **SOURCED),
    Decision(number="2/QĐ", issuer="UBND", title="Đã hết", valid_to="2026-06-30", **SOURCED),
    Decision(number="3/QĐ", issuer="UBND", title="Chưa bắt đầu", valid_from="2027-01-01", **SOURCED),
]
PROCEDURES = [
    Procedure(code=BIRTH, name="Khai sinh", field="Hộ tịch", levels=["xa"], **SOURCED),
    Procedure(code=DEATH, name="Khai tử", field="Hộ tịch", levels=["thanh_pho", "xa"], **SOURCED),
    Procedure(code=HOUSE, name="=Nhà ở", field="Xây dựng", levels=["thanh_pho"], **SOURCED),
    Procedure(code=ROAD, name="Đường", field="Xây dựng", levels=["thanh_pho"], **SOURCED),
]


def delegation(procedure: str, **changes: Any) -> Delegation:
    row = {
        "procedure": procedure,
        "decision": "1/QĐ",
        "kind": "phan_cap",
        "from_authority": "tp",
        "to_authority": "xa",
        "stage": "da_quyet_dinh",
        **SOURCED,
    }
    return Delegation.parse_obj({**row, **changes})


DELEGATIONS = [
    delegation(BIRTH, internal_process="QT-1"),
    delegation(DEATH, to_authority="so", kind="uy_quyen", scope="chi", units=["q"], internal_process="QT-2"),
    delegation(DEATH, scope="chi", units=["x3"], valid_from="2026-02-01"),
    delegation(HOUSE, stage="du_kien"),
    delegation(HOUSE, decision="2/QĐ"),
    delegation(HOUSE, decision="3/QĐ"),
]


def catalogue_of(*delegations: Delegation, procedures: list[Procedure] = PROCEDURES) -> Catalogue:
    return Catalogue(
        procedures={row.code: row for row in procedures},
        guides={},
        authorities={row.code: row for row in AUTHORITIES},
        decisions={row.number: row for row in DECISIONS},
        service_points={},
        rules=Rules.of(
            [BaseCompetence(procedure=row.code, authority="tp", **SOURCED) for row in PROCEDURES],
            delegations,
            DECISIONS,
            {row.code: row.level for row in AUTHORITIES},
        ),
        places=Places(UNITS, []),
    )


@pytest.fixture(scope="module")
def tiny() -> report.Report:
    return report.build(catalogue_of(*DELEGATIONS), TODAY)


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, Phase.IN_FORCE),
        ({"valid_from": TODAY, "valid_to": TODAY}, Phase.IN_FORCE),
        ({"stage": "du_kien"}, Phase.PROPOSED),
        ({"valid_from": "2026-11-24"}, Phase.DECIDED),
        ({"decision": "3/QĐ"}, Phase.DECIDED),
        ({"stage": "da_ket_thuc"}, Phase.ENDED),
        ({"stage": "da_ket_thuc", "valid_to": "2026-12-31"}, Phase.ENDED),
        ({"valid_to": "2026-11-22"}, Phase.ENDED),
        ({"decision": "2/QĐ"}, Phase.ENDED),
        ({"decision": "2/QĐ", "valid_from": "2026-12-01"}, Phase.ENDED),
    ],
)
def test_a_delegation_stands_somewhere_on_a_day(changes: dict[str, Any], phase: Phase) -> None:
    assert catalogue_of().rules.phase(delegation(BIRTH, **changes), TODAY) is phase


def test_what_was_marked_as_ended_later_was_in_force_before() -> None:
    row = delegation(BIRTH, stage="da_ket_thuc", valid_to="2026-06-30", as_of="2026-07-01")
    rules = catalogue_of().rules
    assert rules.phase(row, date(2026, 6, 30)) is Phase.IN_FORCE
    assert rules.phase(row, date(2026, 7, 1)) is Phase.ENDED


def test_procedures_are_counted_once_and_delegations_each(tiny: report.Report) -> None:
    assert (tiny.total.procedures, tiny.total.delegated, tiny.total.rate) == (4, 2, Decimal("50.00"))
    assert {row.of: (row.delegations, row.procedures) for row in tiny.phases} == {
        Phase.IN_FORCE: (3, 2),
        Phase.DECIDED: (1, 1),
        Phase.PROPOSED: (1, 1),
        Phase.ENDED: (1, 1),
    }
    assert {row.of: (row.delegations, row.procedures) for row in tiny.kinds} == {
        DelegationKind.BY_LAW: (0, 0),
        DelegationKind.DEVOLVED: (2, 2),
        DelegationKind.MANDATED: (1, 1),
    }
    assert [(row.of, row.delegations, row.procedures) for row in tiny.pairs] == [
        (Pair("UBND thành phố", "UBND phường, xã"), 2, 2),
        (Pair("UBND thành phố", "Sở A"), 1, 1),
    ]


def test_rates_by_level_and_by_field(tiny: report.Report) -> None:
    levels = {row.of: (row.procedures, row.delegated, row.rate) for row in tiny.levels}
    assert levels[Level.CITY] == (3, 1, Decimal("33.33"))
    assert levels[Level.COMMUNE] == (2, 2, Decimal("100.00"))
    assert levels[Level.DISTRICT] == (0, 0, None)
    civil, building = tiny.fields
    assert (civil.of, civil.procedures, civil.delegated, civil.phases[Phase.IN_FORCE]) == ("Hộ tịch", 2, 2, 3)
    assert (building.of, building.procedures, building.delegated) == ("Xây dựng", 2, 0)
    assert [building.phases[phase] for phase in (Phase.DECIDED, Phase.PROPOSED, Phase.ENDED)] == [1, 1, 1]


def test_only_units_of_the_day_and_each_its_own_count(tiny: report.Report) -> None:
    assert [(row.code, row.within, row.delegated) for row in tiny.units] == [
        ("p1", "Quận Cũ", 2),
        ("p2", "Quận Cũ", 2),
        ("x3", "", 2),
    ]
    before = report.build(catalogue_of(*DELEGATIONS), date(2025, 6, 30))
    assert {row.code: row.delegated for row in before.units} == {"p1": 3, "p2": 3, "x3": 2, "x0": 2}


@st.composite
def placed_delegations(draw: st.DrawFn) -> Delegation:
    scope = draw(st.sampled_from(["tat_ca", "chi", "tru"]))
    listed = st.lists(st.sampled_from(["q", "p1", "p2", "x3", "x0"]), min_size=1, unique=True)
    giver, taker = draw(st.permutations(["tp", "so", "xa"]))[:2]
    return delegation(
        draw(st.sampled_from([BIRTH, DEATH])),
        scope=scope,
        units=[] if scope == "tat_ca" else draw(listed),
        from_authority=giver,
        to_authority=taker,
        kind=draw(st.sampled_from(DelegationKind)),
        valid_from=draw(st.sampled_from([None, "2026-02-01", "2027-01-01"])),
    )


@given(st.lists(placed_delegations(), max_size=8))
def test_units_count_what_the_bot_would_answer_there(rows: list[Delegation]) -> None:
    catalogue = catalogue_of(*rows)
    for unit in report.build(catalogue, TODAY).units:
        answers = [catalogue.competence(code, unit.code, TODAY).verdict for code in catalogue.procedures]
        assert unit.delegated == answers.count(Verdict.DELEGATED)


def test_delegated_procedures_without_a_process_are_named(tiny: report.Report) -> None:
    processes = tiny.processes
    assert (processes.procedures, processes.with_process, processes.rate) == (2, 1, Decimal("50.00"))
    assert [(entry.procedure.code, entry.taker) for entry in processes.missing] == [(DEATH, "UBND phường, xã")]


def test_delegations_of_procedures_out_of_the_catalogue_are_left_out() -> None:
    birth, *others = PROCEDURES
    ended = Procedure.parse_obj({**birth.dict(), "valid_to": "2026-06-30"})
    found = report.build(catalogue_of(*DELEGATIONS, procedures=[ended, *others]), TODAY)
    assert (found.total.procedures, found.total.delegated, found.left_out) == (3, 1, 1)
    assert BIRTH not in {entry.procedure.code for entry in found.entries}


def test_an_empty_catalogue_has_an_empty_report(tmp_path: Path) -> None:
    found = report.build(catalogue_of(procedures=[]), TODAY)
    assert (found.total.procedures, found.total.rate, found.fields, found.processes.rate) == (0, None, (), None)
    report.write_xlsx(found, tmp_path / "empty.xlsx")


def test_announced_figures_each_have_a_source_and_a_day() -> None:
    figures = report.announced_figures()
    assert all(figure.source and figure.as_of for figure in figures)
    assert sum(figure.group == "phan_bo_4610" for figure in figures) == 12
    assert len({figure.code for figure in figures}) == len(figures)


def test_what_does_not_fit_in_the_announced_figures_is_named() -> None:
    checks = report.check_figures(report.announced_figures())
    wrong = [check.text for check in checks if not check.agrees]
    assert wrong[:3] == [
        "Nguồn nêu 1.867 và 1.910: lệch 43, chưa thấy nguồn nào giải thích.",
        "617/1.910 = 32,30 %, không khớp với 37 % đã công bố.",
        "617/1.867 = 33,05 %, không khớp với 37 % đã công bố.",
    ]
    words = " ".join(wrong[3:])
    for said in ("cơ bản đã có", "quý I/2023", "ba khái niệm", "không nêu bên nhận", "tục hành chính"):
        assert said in words
    right = " ".join(check.text for check in checks if check.agrees)
    for said in (
        "1.471 + 284 + 112 = 1.867, khớp",
        "708/1.910 = 37,07 %, khớp với 37 % đã công bố. Số này tính cả 91",
        "617 + 91 = 708, khớp",
        "= 617, khớp với 617",
        "531/617 = 86,06 %, khớp với 86,06 % đã công bố. Còn 86 thủ tục",
    ):
        assert said in right


def test_the_checks_follow_the_figures() -> None:
    new = {"cap_xa": 113, "mau_so": 1867, "ty_le_ke_hoach": 33, "da_quyet_dinh": 530}
    figures = [replace(row, value=Decimal(new.get(row.code, row.value))) for row in report.announced_figures()]
    found = {check.subject: check for check in report.check_figures(figures)}
    assert found["Ba cấp cộng lại"].text == "1.471 + 284 + 113 = 1.868, lệch 1 so với 1.867 đã công bố."
    assert found["Hai tổng số thủ tục"].agrees
    assert found["Tỷ lệ kế hoạch trên mẫu số đã nêu"].agrees
    assert "Số này tính cả" not in found["Tỷ lệ kể cả phần đã giao từ trước"].text
    assert found["Tỷ lệ đã có quyết định"].text == "530/617 = 85,90 %, không khớp với 86,06 % đã công bố."


def test_tables_read_as_people_write(tiny: report.Report) -> None:
    texts = {table.name: table.text_rows() for table in report.tables(tiny)}
    assert texts["tong_quan"][0] == ["Ngày báo cáo", "23/11/2026", ""]
    assert ["Thành phố", "3", "1", "33,33"] in texts["cap"]
    assert texts["so_cong_bo"][0][2] == "1.867" and texts["so_cong_bo"][0][5] == "7/2023"
    assert all(len(row) == len(table.header) for table in report.tables(tiny) for row in table.rows)


def test_the_csv_files_read_back(tiny: report.Report, tmp_path: Path) -> None:
    paths = report.write_csv(tiny, tmp_path / "new" / "folder")
    assert [path.stem for path in paths] == [table.name for table in report.tables(tiny)]
    with (tmp_path / "new" / "folder" / "linh_vuc.csv").open(encoding="utf-8-sig", newline="") as file:
        header, first, *_ = csv.reader(file)
    assert header[:4] == ["Lĩnh vực", "Thủ tục", "Đang được giao", "Tỷ lệ (%)"]
    assert first == ["Hộ tịch", "2", "2", "100.00", "3", "0", "0", "0"]


def test_the_workbook_reads_back_with_its_charts(tiny: report.Report, tmp_path: Path) -> None:
    path = tmp_path / "bao-cao.xlsx"
    report.write_xlsx(tiny, path)
    book = load_workbook(path)
    assert book.sheetnames == [table.title for table in report.tables(tiny)]
    levels = book["Theo cấp"]
    assert [cell.value for cell in levels[3]] == ["Thành phố", 3, 1, 33.33]
    assert book["Tổng quan"]["B2"].value == datetime(2026, 11, 23)
    names = [cell for cell in book["Từng lượt giao"]["B"] if cell.value == "=Nhà ở"]
    assert names and all(cell.data_type == "s" for cell in names), "a name is not a formula"
    charts = {sheet.title: len(sheet._charts) for sheet in book.worksheets if sheet._charts}
    assert charts == {"Theo giai đoạn": 1, "Theo lĩnh vực": 1}


def test_the_shipped_catalogue(catalogue: Catalogue) -> None:
    """The decrees of June 2025 hold in every commune until 2027-03-01; the plan of 2022 delegates nothing."""
    decrees = {"120/2025/NĐ-CP", "125/2025/NĐ-CP", "140/2025/NĐ-CP", "151/2025/NĐ-CP"}

    def phases(found: report.Report) -> set[Phase]:
        return {entry.phase for entry in found.entries if entry.delegation.decision in decrees}

    now, after = (report.build(catalogue, day) for day in (TODAY, date(2027, 3, 2)))
    assert now.total.procedures == len(catalogue.procedures) and now.left_out == 0
    assert phases(now) == {Phase.IN_FORCE} and phases(after) == {Phase.ENDED}
    assert len(now.units) == 126 and all(0 < row.delegated <= now.total.delegated for row in now.units)
    assert not any(entry.delegation.decision == "4610/QĐ-UBND" for entry in now.entries)


def test_the_licence_desks_of_former_districts(catalogue: Catalogue) -> None:
    found = report.build(catalogue, date(2025, 2, 28))
    assert len(found.units) == 526
    districts = {row.within for row in found.units if row.delegated}
    assert len(districts) == 13 and "Quận Long Biên" in districts and "Quận Ba Đình" not in districts
