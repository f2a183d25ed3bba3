"""Figures: what the bot is asked and how it fares, with charts and exports. What is counted, and how: `tally`."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Optional
from urllib.parse import urlencode

from openpyxl import Workbook
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue.report.render import Cell, Table, add_chart, write_sheet
from bot.catalogue.store import Catalogue
from bot.staff import audit, charts, tally
from bot.staff.accounts import Role
from bot.staff.pages import page
from bot.staff.tally import FIGURES, OUTCOMES, Count, Slice

TITLE, PATH, ROLE = "Số liệu", "/figures", Role.EDITOR
USUAL_DAYS = 30
MOST_DAYS = 366
SHOWN = 20
"""Rows of the chart by procedure, ward or channel; the table has all."""
BY = {"day": "Theo ngày", "procedure": "Theo thủ tục", "ward": "Theo phường, xã", "channel": "Theo kênh"}
FIRST_COLUMN = {"day": "Ngày", "procedure": "Thủ tục", "ward": "Phường, xã", "channel": "Kênh"}
NONE_OF = {"procedure": "(không về thủ tục nào)", "ward": "(không nói phường, xã)"}
CHANNELS = {"web": "Trang web", "telegram": "Telegram", "rest": "REST"}


class BadDates(ValueError):
    """The dates asked for cannot be used; the message says why, in Vietnamese."""


def index(request: Request) -> Response:
    runtime, engine = request.app.state.runtime, request.app.state.engine
    wanted, problem = _wanted(request)
    by = _by(request)
    rows = tally.count(engine, wanted, by)
    catalogue = runtime.catalogue()
    titles = [_title(by, row.key, catalogue) for row in rows]
    if by == "procedure":
        titles = [f"{title} ({row.key})" if row.key else title for title, row in zip(titles, rows)]
    units = [unit for unit in catalogue.places.units.values() if unit.holds_on(runtime.settings.today)]
    procedure = catalogue.procedures.get(wanted.procedure)
    return page(
        request,
        "figures/index.html",
        422 if problem else 200,
        problem=problem,
        wanted=wanted,
        by=by,
        tabs=[(name, title, _address(wanted, name)) for name, title in BY.items()],
        periods=_periods(runtime.settings.today, wanted, by),
        channels=[(name, CHANNELS.get(name, name)) for name in sorted({"web", "telegram", *tally.channels(engine)})],
        units=sorted(units, key=lambda unit: (unit.bare_name, unit.kind.value)),
        procedure_name=procedure.name if procedure else "",
        figures=FIGURES,
        total=tally.total(engine, wanted),
        rows=list(zip(titles, rows)),
        first_column=FIRST_COLUMN[by],
        chart=_columns(titles, rows, OUTCOMES) if by == "day" else None,
        thumbs=_columns(titles, rows, (tally.THUMBS_UP, tally.THUMBS_DOWN)) if by == "day" else None,
        bars=_shares(titles, rows) if by != "day" else [],
        narrow=lambda key: _address(_narrowed(wanted, by, key), "day") if key and by != "day" else "",
        query=urlencode(_query(wanted, by)),
        today=runtime.settings.today,
    )


def export(request: Request) -> Response:
    """The figures as a workbook with a sheet for each way to count, or one of them as CSV."""
    wanted, problem = _wanted(request)
    if problem:
        return index(request)
    by = _by(request)
    name = f"so-lieu-{wanted.since}-{wanted.until}"
    if request.url.path.endswith(".csv"):
        name, body, media = f"{name}-{by}.csv", _csv(_table(request, wanted, by)), "text/csv; charset=utf-8"
    else:
        name, body = f"{name}.xlsx", _xlsx(request, wanted)
        media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    audit.record(request, "figures.export", name)
    return Response(body, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _wanted(request: Request) -> tuple[Slice, str]:
    """What is asked for, and what is wrong with it (then the usual days are given)."""
    asked = request.query_params
    today = request.app.state.runtime.settings.today
    usual = (today - timedelta(days=USUAL_DAYS - 1), today)
    problem = ""
    try:
        since, until = _dates(asked.get("since", ""), asked.get("until", ""), usual)
    except BadDates as error:
        (since, until), problem = usual, str(error)
    channel, procedure, unit = (asked.get(name, "").strip()[:100] for name in ("channel", "procedure", "unit"))
    return Slice(since, until, channel, procedure, unit), problem


def _dates(since: str, until: str, usual: tuple[date, date]) -> tuple[date, date]:
    if not since and not until:
        return usual
    try:
        last = date.fromisoformat(until) if until else usual[1]
        first = date.fromisoformat(since) if since else last - timedelta(days=USUAL_DAYS - 1)
    except (ValueError, OverflowError) as error:
        raise BadDates("Ngày chưa đúng: cần ngày có thật, dạng 2026-11-23.") from error
    if not 2020 <= first.year <= last.year <= 2100 or first > last:
        raise BadDates("Ngày đầu phải trước hoặc bằng ngày cuối.")
    if (last - first).days >= MOST_DAYS:
        raise BadDates(f"Mỗi lần xem tối đa {MOST_DAYS} ngày.")
    return first, last


def _by(request: Request) -> str:
    asked = request.query_params.get("by", "day")
    return asked if asked in BY else "day"


def _periods(today: date, wanted: Slice, by: str) -> list[tuple[str, str, bool]]:
    """Short cuts: title, address, and whether it is what is shown."""
    first = today.replace(day=1)
    before = first - timedelta(days=1)
    periods = {
        "7 ngày": (today - timedelta(days=6), today),
        "30 ngày": (today - timedelta(days=29), today),
        "Tháng này": (first, today),
        "Tháng trước": (before.replace(day=1), before),
    }
    found = []
    for title, (since, until) in periods.items():
        there = Slice(since, until, wanted.channel, wanted.procedure, wanted.unit)
        found.append((title, _address(there, by), there == wanted))
    return found


def _query(wanted: Slice, by: str) -> dict[str, str]:
    found = {"since": wanted.since.isoformat(), "until": wanted.until.isoformat(), "by": by}
    filters = {"channel": wanted.channel, "procedure": wanted.procedure, "unit": wanted.unit}
    return found | {name: value for name, value in filters.items() if value}


def _address(wanted: Slice, by: str) -> str:
    return "?" + urlencode(_query(wanted, by))


def _narrowed(wanted: Slice, by: str, key: str) -> Slice:
    values = {"channel": wanted.channel, "procedure": wanted.procedure, "unit": wanted.unit}
    values["unit" if by == "ward" else by] = key
    return Slice(wanted.since, wanted.until, **values)


def _title(by: str, key: Optional[str], catalogue: Catalogue) -> str:
    if key is None:
        return NONE_OF.get(by, "(không rõ)")
    if by == "day":
        return f"{date.fromisoformat(key):%d/%m/%Y}"
    if by == "procedure":
        found = catalogue.procedures.get(key)
        return found.name if found else key
    if by == "ward":
        unit = catalogue.places.units.get(key)
        return unit.name if unit else key
    return CHANNELS.get(key, key)


def _columns(titles: list[str], rows: list[Count], figures: tuple[tally.Figure, ...]) -> charts.Columns:
    series = [charts.Series(each.name, each.title, [row[each.name] for row in rows]) for each in figures]
    return charts.columns([title[:5] for title in titles], series)


def _shares(titles: list[str], rows: list[Count]) -> list[tuple[str, int, float]]:
    """Title, messages and length in percent of the longest."""
    most = max((row["messages"] for row in rows), default=0) or 1
    return [
        (title, row["messages"], round(100 * row["messages"] / most, 2)) for title, row in zip(titles, rows[:SHOWN])
    ]


def _table(request: Request, wanted: Slice, by: str) -> Table:
    catalogue = request.app.state.runtime.catalogue()
    rows = []
    for row in tally.count(request.app.state.engine, wanted, by):
        first: tuple[Cell, ...] = (row.key or "", _title(by, row.key, catalogue))
        if by == "day":
            first = (date.fromisoformat(row.key or ""),)
        elif by == "channel":
            first = (_title(by, row.key, catalogue),)
        rows.append((*first, *(row[each.name] for each in FIGURES)))
    headers = {"procedure": ("Mã thủ tục", "Thủ tục"), "ward": ("Mã đơn vị", "Phường, xã")}
    header = (*headers.get(by, (FIRST_COLUMN[by],)), *(each.title for each in FIGURES))
    return Table(by, BY[by], header, tuple(rows))


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([table.header, *table.rows])
    # With a byte order mark, without which Excel garbles Vietnamese.
    return text.getvalue().encode("utf-8-sig")


def _xlsx(request: Request, wanted: Slice) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    write_sheet(book, _overview(request, wanted))
    for by in BY:
        table = _table(request, wanted, by)
        sheet = write_sheet(book, table)
        if table.rows and by in ("day", "channel"):
            first = table.header.index(OUTCOMES[0].title) + 1
            add_chart(sheet, f"Tin nhắn {BY[by].lower()}", (first, first + len(OUTCOMES) - 1), len(table.rows))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _overview(request: Request, wanted: Slice) -> Table:
    """The total of each figure with its definition."""
    total = tally.total(request.app.state.engine, wanted)
    rows = tuple((each.title, total[each.name], each.definition) for each in FIGURES)
    parts = [f"Từ {wanted.since:%d/%m/%Y} đến {wanted.until:%d/%m/%Y}, giờ Hà Nội"]
    catalogue = request.app.state.runtime.catalogue()
    filters = (("channel", wanted.channel), ("procedure", wanted.procedure), ("ward", wanted.unit))
    parts += [f"{FIRST_COLUMN[by].lower()}: {_title(by, value, catalogue)}" for by, value in filters if value]
    return Table("tong", "Tổng", ("Chỉ số", "Số liệu", "Cách đếm"), rows, "; ".join(parts) + ".")


routes = [Route("/figures", index), *(Route(f"/figures/export.{kind}", export, name=kind) for kind in ("csv", "xlsx"))]
