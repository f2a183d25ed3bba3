"""The page of figures and its exports, over HTTP. That the figures are right is tested in test_tally.py."""

from __future__ import annotations

import csv
import io
import re

import pytest
from openpyxl import load_workbook

from bot.staff import audit
from bot.staff.tally import FIGURES
from tests.staff.conftest import Console
from tests.staff.test_tally import ALL, BY_HAND, fill

ASKED = "since=2026-11-22&until=2026-11-24"


@pytest.fixture
def counted(console: Console) -> Console:
    fill(console.app.state.engine)
    return console


def totals(page: str) -> list[int]:
    return [int(number.replace(".", "")) for number in re.findall(r'<dd class="value">([\d.]+)</dd>', page)]


def test_the_page_shows_each_figure_with_its_definition(counted: Console) -> None:
    answer = counted.person("editor").get(f"/staff/figures?{ASKED}")
    assert answer.status_code == 200
    assert totals(answer.text) == list(BY_HAND[ALL])
    for figure in FIGURES:
        assert figure.title in answer.text and figure.definition in answer.text
    assert answer.text.count("<svg") > 2 and "<script>" not in answer.text and " style=" not in answer.text


def test_filters_narrow_and_rows_lead_to_them(counted: Console) -> None:
    person = counted.person("editor")
    page = person.get(f"/staff/figures?{ASKED}&by=procedure").text
    there = re.search(r'href="(\?[^"]*procedure=1\.004222[^"]*)"', page)
    assert there and "Đăng ký thường trú" in page
    assert totals(person.get("/staff/figures" + there[1].replace("&amp;", "&")).text)[0] == 3
    assert totals(person.get(f"/staff/figures?{ASKED}&unit=00004").text)[0] == 2
    assert "Phường Ba Đình" in person.get(f"/staff/figures?{ASKED}&by=ward").text
    assert totals(person.get(f"/staff/figures?{ASKED}&channel=web").text)[0] == 4


@pytest.mark.parametrize(
    "asked",
    [
        "since=2026-11-24&until=2026-11-22",
        "since=hôm nay",
        "since=2026-02-30",
        "since=0001-01-01&until=9999-12-31",
        "until=0001-01-01",
        "since=2024-01-01&until=2026-11-23",
    ],
)
def test_dates_that_cannot_be_used_are_told(counted: Console, asked: str) -> None:
    answer = counted.person("editor").get(f"/staff/figures?{asked}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_csv_has_the_table_that_is_shown(counted: Console) -> None:
    answer = counted.person("editor").get(f"/staff/figures/export.csv?{ASKED}&by=procedure")
    assert answer.content.startswith(b"\xef\xbb\xbf") and "attachment" in answer.headers["content-disposition"]
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header[2:] == [figure.title for figure in FIGURES]
    assert [row[:3] for row in rows] == [
        ["", "(không về thủ tục nào)", "8"],
        ["1.004222", "Đăng ký thường trú", "3"],
        ["1.001193", rows[2][1], "1"],
    ]


def test_excel_has_every_table_with_definitions_and_it_is_noted(counted: Console) -> None:
    answer = counted.person("editor").get(f"/staff/figures/export.xlsx?{ASKED}")
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["Tổng", "Theo ngày", "Theo thủ tục", "Theo phường, xã", "Theo kênh"]
    rows = list(book["Tổng"].iter_rows(min_row=2, max_row=1 + len(FIGURES), values_only=True))
    assert [(row[0], row[1]) for row in rows] == [
        (figure.title, number) for figure, number in zip(FIGURES, BY_HAND[ALL])
    ]
    assert [row[1] for row in book["Theo ngày"].iter_rows(min_row=2, max_row=4, values_only=True)] == [1, 8, 3]
    noted = audit.entries(counted.app.state.engine, action="figures.export")
    assert [entry.who for entry in noted] == ["thu.editor"]
