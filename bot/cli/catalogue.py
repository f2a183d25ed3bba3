"""`motcua catalogue …`: load, look over, take back."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.progress import track
from rich.table import Table

from bot.cli.output import console, errors, fail, say

app = typer.Typer(help="Danh mục thủ tục, thẩm quyền, đơn vị.", no_args_is_help=True)
SHOWN = 40
"""Changes that a preview lists."""


@app.command("import")
def catalogue_import(
    file: Path = typer.Argument(..., help="Tệp .jsonl của Cổng, hoặc .csv/.xlsx theo mẫu."),
    preview: bool = typer.Option(False, "--preview", help="Chỉ xem sẽ thêm, sửa, kết thúc những gì; không nạp."),
    who: str = typer.Option(getpass.getuser(), "--who", help="Người nạp, ghi vào lịch sử."),
) -> None:
    """Nạp một tệp vào danh mục: hoặc nạp hết, hoặc không nạp dòng nào."""
    from bot.catalogue import history, importer
    from bot.runtime import runtime

    def progress(lines: Iterable[importer.Line]) -> Iterable[importer.Line]:
        return track(list(lines), f"Đọc {file.name}", console=errors)

    try:
        report = importer.import_file(runtime().store.engine, file, progress, who, preview)
    except importer.Unreadable as error:
        raise fail(str(error)) from error
    for refusal in report.refused:
        errors.print(str(refusal), markup=False, soft_wrap=True)
    if report.refused:
        raise fail(f"{len(report.refused)} lỗi trong {report.read} dòng. Chưa nạp dòng nào; hãy sửa rồi nạp lại.")
    skipped = f", bỏ qua {report.skipped} dòng chỉ có mã và tên" if report.skipped else ""
    if preview:
        for line in list(history.describe(report.changes))[:SHOWN]:
            say(line)
        say(f"… và {len(report.changes) - SHOWN} dòng nữa" if len(report.changes) > SHOWN else "")
    say(f"Đọc {report.read} dòng: thêm {report.added}, sửa {report.changed}{skipped}.")
    if preview:
        say("Đây là bản xem trước: chưa nạp gì.")
    elif report.run:
        say(f"Lần nạp số {report.run}; muốn bỏ: motcua catalogue undo {report.run}")


@app.command("check")
def catalogue_check(as_json: bool = typer.Option(False, "--json", help="In ra JSON.")) -> None:
    """Rà danh mục: thiếu trường, mâu thuẫn, ủy quyền hết hạn. Mã thoát 1 khi có mâu thuẫn."""
    from bot.catalogue import check
    from bot.runtime import runtime

    current = runtime()
    findings = check.check(current.catalogue(), current.settings.today)
    if as_json:
        console.print_json(json.dumps([vars(f) for f in findings]), ensure_ascii=False)
    else:
        for line in check.summary(findings):
            say(line)
    if any(finding.severity == check.CONTRADICTION for finding in findings):
        raise typer.Exit(1)


@app.command("review")
def catalogue_review(
    days: int = typer.Option(60, "--days", min=0, help="Xem trước bao nhiêu ngày."),
    as_json: bool = typer.Option(False, "--json", help="In ra JSON."),
) -> None:
    """Văn bản và lượt giao sắp hết hạn, sớm nhất trước."""
    from bot.catalogue import check
    from bot.runtime import runtime

    current = runtime()
    found = check.expiring(current.catalogue(), current.settings.today, days)
    if as_json:
        console.print_json(json.dumps([vars(finding) for finding in found]), ensure_ascii=False)
        return
    for finding in found:
        say(f"{finding.table} · {finding.key}: {finding.problem}")
    if not found:
        say(f"Trong {days} ngày tới không có gì hết hạn.")


@app.command("export")
def catalogue_export(folder: Path = typer.Argument(..., help="Thư mục để ghi các tệp CSV.")) -> None:
    """Ghi cả danh mục ra CSV, mỗi bảng một tệp."""
    from bot.catalogue import importer
    from bot.runtime import runtime

    for path in importer.export(runtime().store.engine, folder):
        say(str(path))


@app.command("template")
def catalogue_template(file: Path = typer.Argument(..., help="Tệp .xlsx sẽ tạo.")) -> None:
    """Tạo mẫu Excel trống, mỗi bảng một trang, có danh sách để chọn."""
    from bot.catalogue import template
    from bot.runtime import runtime

    template.write(runtime().store.engine, file)
    say(str(file))


@app.command("history")
def catalogue_history(most: int = typer.Option(20, "--most", help="Số lần nạp gần nhất.")) -> None:
    """Các lần nạp: ai, lúc nào, tệp nào, đổi bao nhiêu dòng."""
    from bot.catalogue import history
    from bot.runtime import runtime

    table = Table("Lần", "Lúc (UTC)", "Ai", "Tệp", "Thêm", "Sửa")
    with runtime().store.engine.connect() as connection:
        for run in history.runs(connection, most):
            when = f"{run.at:%Y-%m-%d %H:%M}"
            table.add_row(str(run.id), when, run.who or "", run.file, str(run.added), str(run.changed))
    console.print(table)


@app.command("changes")
def catalogue_changes(run: int = typer.Argument(..., help="Số của lần nạp (xem history).")) -> None:
    """Một lần nạp đã đổi những dòng nào."""
    from bot.catalogue import history
    from bot.runtime import runtime

    with runtime().store.engine.connect() as connection:
        for line in history.describe(history.changes_of(connection, run)):
            say(line)


@app.command("undo")
def catalogue_undo(
    run: int = typer.Argument(..., help="Số của lần nạp (xem history)."),
    who: str = typer.Option(getpass.getuser(), "--who", help="Người làm, ghi vào lịch sử."),
) -> None:
    """Hoàn tác một lần nạp. Việc hoàn tác cũng được ghi lại, và cũng hoàn tác được."""
    from bot.catalogue import history
    from bot.runtime import runtime

    try:
        number = history.undo(runtime().store.engine, run, who)
    except history.CannotUndo as error:
        raise fail(str(error)) from error
    say(f"Đã hoàn tác lần nạp {run} (ghi thành lần {number}).")
