"""A decision's annex from Excel: previewed, then loaded whole or not at all; and taking a load back."""

from __future__ import annotations

import io
import re
import secrets
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional
from zipfile import BadZipFile, ZipFile

import sqlalchemy as sa
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue import database, history, importer, template
from bot.catalogue.importer import Report
from bot.staff import access, audit, wording
from bot.staff.access import needs
from bot.staff.accounts import Role, now
from bot.staff.pages import flash, go, page
from bot.staff.tables import upload as uploads

LARGEST_UNPACKED = 200 * 1024 * 1024
"""Bytes of all sheets of a workbook; a small file can hide much more."""
KEPT = timedelta(hours=12)
SHOWN = 300
"""Changes that a preview lists."""
RUNS = 30


@dataclass(frozen=True)
class Upload:
    id: str
    name: str
    version: int
    content: bytes


def start(request: Request) -> Response:
    """Choose a file; the latest loads and edits."""
    with request.app.state.engine.connect() as connection:
        runs = history.runs(connection, most=RUNS)
    undone = {run.undoes for run in runs}
    return page(request, "catalogue/import.html", runs=runs, undone=undone, problem="", can=_may(request))


def send(request: Request) -> Response:
    """Take a file and show what it would change."""
    file = access.form(request).get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise importer.Unreadable("Bạn chưa chọn tệp.")
        name, content = _name(file.filename), file.file.read()
        _refuse_bombs(name, content)
        with request.app.state.engine.connect() as connection:
            version = database.version(connection)
        report = _read(request, Upload("", name, version, content))
    except importer.Unreadable as problem:
        return _start_again(request, str(problem))
    token = _keep(request, name, version, content)
    return _preview(request, token, name, report)


def confirm(request: Request) -> Response:
    """Load what was previewed."""
    kept = _kept(request)
    if kept is None:
        flash(request, "Bản xem trước đã cũ. Bạn chọn lại tệp.", "error")
        return go(request, "/catalogue/import")
    with _as_file(kept) as path:
        try:
            report = importer.import_file(
                request.app.state.engine, path, who=access.user(request).name, version=kept.version
            )
        except importer.MovedOn:
            return _again(request, kept)
    if report.refused:
        return _preview(request, kept.id, kept.name, report)
    _drop(request, kept.id)
    detail = f"thêm {report.added}, sửa {report.changed}" + (f", lần {report.run}" if report.run else "")
    audit.record(request, "catalogue.import", kept.name, detail)
    flash(request, f"Đã nạp {kept.name}: {detail}. Bot dùng nội dung mới ngay.")
    return go(request, f"/catalogue/run/{report.run}" if report.run else "/catalogue/import")


def _again(request: Request, kept: Upload) -> Response:
    """The catalogue was changed after the preview: a new one."""
    with request.app.state.engine.begin() as connection:
        version = database.version(connection)
        connection.execute(sa.update(uploads).where(uploads.c.id == kept.id).values(version=version))
    moved = "Danh mục vừa được người khác sửa. Đây là bản xem trước mới, bạn xem lại rồi nạp."
    return _preview(request, kept.id, kept.name, _read(request, kept), moved, 409)


def cancel(request: Request) -> Response:
    kept = _kept(request)
    if kept:
        _drop(request, kept.id)
    flash(request, "Đã bỏ tệp, chưa nạp gì.")
    return go(request, "/catalogue/import")


def run(request: Request) -> Response:
    """What one load or edit changed, and the button to take it back."""
    number = int(request.path_params["run"])
    with request.app.state.engine.connect() as connection:
        past = {each.id: each for each in history.runs(connection, most=1_000_000)}
        changes = history.changes_of(connection, number) if number in past else []
    if number not in past:
        raise HTTPException(404, f"Không có lần nạp số {number}.")
    undone = next((each.id for each in past.values() if each.undoes == number), None)
    return page(
        request,
        "catalogue/run.html",
        run=past[number],
        undone=undone,
        can_undo=undone is None and _is_by_people(past[number]) and _may(request) and bool(changes),
        **_shown(request, changes),
    )


@needs(Role.PUBLISHER)
def undo(request: Request) -> Response:
    number = int(request.path_params["run"])
    engine = request.app.state.engine
    with engine.connect() as connection:
        found = next((each for each in history.runs(connection, most=1_000_000) if each.id == number), None)
    try:
        if found is not None and not _is_by_people(found):
            raise history.CannotUndo("đây là dữ liệu kèm theo chương trình, không phải lần nạp của cán bộ")
        made = history.undo(engine, number, access.user(request).name)
    except history.CannotUndo as refusal:
        flash(request, f"Chưa hoàn tác được: {refusal}.", "error")
        return go(request, f"/catalogue/run/{number}" if found else "/catalogue/import")
    audit.record(request, "catalogue.undo", f"lần {number}", f"ghi thành lần {made}")
    flash(request, f"Đã hoàn tác lần {number} (ghi thành lần {made}). Bot dùng nội dung cũ ngay.")
    return go(request, f"/catalogue/run/{made}")


def blank(request: Request) -> Response:
    """The Excel template, with today's lists to choose from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mau.xlsx"
        template.write(request.app.state.engine, path)
        body = path.read_bytes()
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {"Content-Disposition": 'attachment; filename="mau-phu-luc.xlsx"'}
    return Response(body, media_type=media, headers=headers)


def _may(request: Request) -> bool:
    return access.user(request).role.covers(Role.PUBLISHER)


def _is_by_people(found: history.Run) -> bool:
    return found.file != "shipped"


def _start_again(request: Request, problem: str) -> Response:
    with request.app.state.engine.connect() as connection:
        runs = history.runs(connection, most=RUNS)
    undone = {each.undoes for each in runs}
    return page(request, "catalogue/import.html", 422, runs=runs, undone=undone, problem=problem, can=_may(request))


def _preview(request: Request, token: str, name: str, report: Report, moved: str = "", status: int = 0) -> Response:
    return page(
        request,
        "catalogue/preview.html",
        status or (422 if report.refused else 200),
        token=token,
        name=name,
        report=report,
        refused=report.refused[:SHOWN],
        moved=moved,
        can=_may(request),
        **_shown(request, report.changes),
    )


def _shown(request: Request, changes: list[database.Change]) -> dict[str, Any]:
    catalogue = request.app.state.runtime.catalogue()
    rows = []
    for item in changes[:SHOWN]:
        record = item.after or item.before
        assert record is not None
        table, title = wording.TABLES[item.kind.table], wording.name_of(record, catalogue)
        rows.append((wording.verb(item), table, title, wording.cells_changed(item, catalogue)))
    return {"rows": rows, "count": len(changes), "counts": Counter(wording.verb(item)[0] for item in changes)}


def _read(request: Request, given: Upload) -> Report:
    with _as_file(given) as path:
        try:
            return importer.import_file(request.app.state.engine, path, preview=True)
        # What a damaged workbook raises while its sheets are read (a broken XML is a SyntaxError).
        except (BadZipFile, SyntaxError, KeyError, IndexError, EOFError, zlib.error) as error:
            raise importer.Unreadable(f"{given.name}: tệp Excel bị hỏng.") from error


@contextmanager
def _as_file(given: Upload) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / given.name
        path.write_bytes(given.content)
        yield path


def _name(filename: str) -> str:
    """A file's name without folders; what remains of it is safe to write."""
    name = re.sub(r"[^\w.() -]", "_", re.split(r"[\\/]", filename)[-1]).strip(". ")[-100:]
    if not name.lower().endswith((".xlsx", ".csv")):
        raise importer.Unreadable("Chỉ nhận tệp Excel (.xlsx) hoặc CSV. Tệp .xls cũ: bạn mở ra rồi lưu lại dạng .xlsx.")
    return name


def _refuse_bombs(name: str, content: bytes) -> None:
    if not content:
        raise importer.Unreadable(f"{name}: tệp trống.")
    if not name.lower().endswith(".xlsx"):
        return
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            size = sum(each.file_size for each in packed.infolist())
    except BadZipFile as error:
        raise importer.Unreadable(f"{name}: không phải tệp Excel (.xlsx), hoặc tệp bị hỏng.") from error
    if size > LARGEST_UNPACKED:
        raise importer.Unreadable(f"{name}: tệp quá lớn khi mở ra.")


def _keep(request: Request, name: str, version: int, content: bytes) -> str:
    token = secrets.token_urlsafe(16)
    person = access.user(request).id
    values = {"id": token, "account": person, "at": now(), "name": name, "version": version, "content": content}
    with request.app.state.engine.begin() as connection:
        # One at a time for each person; what was left behind goes, too.
        old = sa.or_(uploads.c.account == person, uploads.c.at < now() - KEPT)
        connection.execute(sa.delete(uploads).where(old))
        connection.execute(sa.insert(uploads).values(**values))
    return token


def _kept(request: Request) -> Optional[Upload]:
    """The file of a form's token; only for the person who sent it."""
    mine = sa.and_(uploads.c.id == access.field(request, "token"), uploads.c.account == access.user(request).id)
    query = sa.select(uploads.c.id, uploads.c.name, uploads.c.version, uploads.c.content)
    with request.app.state.engine.connect() as connection:
        row = connection.execute(query.where(mine, uploads.c.at > now() - KEPT)).mappings().first()
    return Upload(**row) if row else None


def _drop(request: Request, token: str) -> None:
    with request.app.state.engine.begin() as connection:
        connection.execute(sa.delete(uploads).where(uploads.c.id == token))


routes = [
    Route("/catalogue/import", start),
    Route("/catalogue/import/template.xlsx", blank),
    Route("/catalogue/import/preview", send, methods=["POST"]),
    Route("/catalogue/import/confirm", needs(Role.PUBLISHER)(confirm), methods=["POST"]),
    Route("/catalogue/import/cancel", cancel, methods=["POST"]),
    Route("/catalogue/run/{run:int}", run),
    Route("/catalogue/run/{run:int}/undo", undo, methods=["POST"]),
]
