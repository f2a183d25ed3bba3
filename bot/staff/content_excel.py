"""The entries out to Excel and in again, with a preview of what would change."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Optional

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.editing import sheets
from bot.editing.differences import summary
from bot.editing.editor import Conflict, Taken
from bot.editing.lines import CannotEdit, NotYaml
from bot.editing.sheets import BadWorkbook, Row
from bot.staff import access, audit
from bot.staff.access import field, form
from bot.staff.pages import flash, go, page
from bot.staff.workbench import Workbench, workbench

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KEPT = 24 * 3600
"""Seconds for which an upload waits to be applied."""
SHOWN = 200
"""Rows of a preview."""
_TOKEN = re.compile(r"[\w-]{20,60}")


def export(request: Request) -> Response:
    bench = workbench(request)
    name = f"cau-hoi-va-cach-hoi-{bench.runtime.settings.today:%Y-%m-%d}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(sheets.write(bench.editor.snapshot()), media_type=XLSX, headers=headers)


def upload(request: Request) -> Response:
    """Look at a workbook; nothing is written yet."""
    if request.method == "GET":
        return page(request, "content/import.html", problem="", rows=[], token="")
    given = form(request).get("workbook")
    data = given.file.read() if isinstance(given, UploadFile) else b""
    if not data:
        return _refused(request, "Bạn chưa chọn tệp.")
    try:
        found = sheets.read(data, workbench(request).checker())
    except BadWorkbook as error:
        return _refused(request, str(error))
    token = secrets.token_urlsafe(24)
    path = _waiting(request, token)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path.parent)
    path.write_bytes(data)
    return _preview(request, found, token)


def apply(request: Request) -> Response:
    """Read the workbook that was looked at once more, and write what it changes, all or nothing."""
    path = _waiting(request, field(request, "token"))
    if path is None or not path.exists():
        return _refused(request, "Tệp đã nạp xong rồi, hoặc đã chờ quá một ngày: bạn chọn lại tệp.")
    bench = workbench(request)
    found = sheets.read(path.read_bytes(), bench.checker())
    states = ("new", "changed", "asked") if field(request, "sure") else ("new", "changed")
    wanted = [row for row in found if row.state in states and row.change is not None]
    if not wanted:
        return _preview(request, found, field(request, "token"), "Không có hàng nào để ghi.")
    problem = _written(request, bench, wanted)
    if problem:
        return _preview(request, found, field(request, "token"), problem)
    path.unlink(missing_ok=True)
    refused = sum(row.state not in (*states, "same") for row in found)
    left = f" {refused} hàng không được ghi." if refused else ""
    flash(request, f"Đã ghi {len(wanted)} mục từ Excel.{left} Bot dùng bản mới sau khi xuất bản.")
    return go(request, "/content")


def _written(request: Request, bench: Workbench, wanted: list[Row]) -> str:
    """Why nothing was written; empty: it was."""
    try:
        bench.editor.save([row.change for row in wanted if row.change is not None])
    except Conflict as conflict:
        name = f" “{conflict.current.title}”" if conflict.current else ""
        return f"Mục{name} vừa được người khác sửa: chưa ghi gì. Bạn tải tệp mới rồi sửa lại."
    except (Taken, CannotEdit, NotYaml) as error:
        return f"Chưa ghi gì: {error}"
    for row in wanted:
        assert row.change is not None
        before = row.item.values if row.item else {}
        target = f"{row.kind.name}/{Path(row.change.file).stem}/{row.change.key or row.title}"
        detail = f"hàng {row.number}: {summary(row.kind, before, row.change.values)}"
        audit.record(request, f"{row.kind.action}.import", target, detail)
    return ""


def _preview(request: Request, found: list[Row], token: str, problem: str = "") -> Response:
    order = {"refused": 0, "asked": 1, "new": 2, "changed": 3}
    told = sorted((row for row in found if row.state in order), key=lambda row: order[row.state])
    counts = sheets.counts(found)
    return page(
        request,
        "content/import.html",
        422 if problem else 200,
        rows=told[:SHOWN],
        left=max(0, len(told) - SHOWN),
        counts=counts,
        ready=counts["new"] + counts["changed"],
        token=token,
        problem=problem,
    )


def _refused(request: Request, problem: str) -> Response:
    return page(request, "content/import.html", 422, problem=problem, rows=[], token="")


def _waiting(request: Request, token: str) -> Optional[Path]:
    """Where an upload waits: only who uploaded it finds it."""
    if not _TOKEN.fullmatch(token):
        return None
    home = request.app.state.runtime.settings.home
    return Path(home) / "imports" / f"{access.user(request).id}-{token}.xlsx"


def _clear(folder: Path) -> None:
    for path in folder.glob("*.xlsx"):
        if time.time() - path.stat().st_mtime > KEPT:
            path.unlink(missing_ok=True)


routes = [
    Route("/content/export", export),
    Route("/content/import", upload, methods=["GET", "POST"]),
    Route("/content/import/apply", apply, methods=["POST"]),
]
