"""`motcua`: run, ask, evaluate, and look after the catalogue. Everything it prints is for people, in Vietnamese."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Optional

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from bot.console import quiet

quiet()

app = typer.Typer(
    help="Hỏi Một Cửa: thủ tục nào, cơ quan nào, ở đâu.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
catalogue_app = typer.Typer(help="Danh mục thủ tục, thẩm quyền, đơn vị.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@app.command()
def run() -> None:
    """Chạy bot: nạp danh mục kèm theo, huấn luyện khi dữ liệu đổi, rồi phục vụ trên PORT."""
    from bot.runtime import runtime
    from bot.training import model_path, train

    port = runtime().settings.port
    path = model_path()
    if not path.exists():
        console.print("Huấn luyện mô hình (chỉ khi dữ liệu đổi, khoảng một phút)…")
        train(path)
    from bot.server import serve

    serve(path, port)


@app.command("train")
def train_command() -> None:
    """Huấn luyện lại mô hình nếu dữ liệu đã đổi."""
    from bot.training import ensure_model

    console.print(str(ensure_model()))


@app.command()
def ask(
    text: list[str] = typer.Argument(..., help="Câu hỏi; nhiều câu là một cuộc trò chuyện."),
    as_json: bool = typer.Option(False, "--json", help="In cả phần dữ liệu máy đọc."),
) -> None:
    """Hỏi bot ngay trong cửa sổ lệnh."""

    async def talk() -> None:
        bot = _Bot()
        sender = uuid.uuid4().hex
        for message in text:
            for reply in await bot.say(message, sender):
                if reply.get("text"):
                    console.print(reply["text"], markup=False, soft_wrap=True)
                for number, button in enumerate(reply.get("buttons") or [], 1):
                    console.print(f"  [{number}] {button['title']}", markup=False, soft_wrap=True)
                if as_json and reply.get("custom"):
                    console.print_json(json.dumps(reply["custom"]), ensure_ascii=False)
            console.print()

    asyncio.run(talk())


@app.command("eval")
def eval_command(
    file: Path = typer.Argument(..., help="Tệp câu hỏi .jsonl."),
    failures: bool = typer.Option(False, "--failures", help="Liệt kê các câu chưa đúng."),
    output: Optional[Path] = typer.Option(None, "--output", help="Ghi từng kết quả ra tệp .jsonl."),
) -> None:
    """Đo bot trên một tệp câu hỏi, cả bản có dấu và bản bỏ dấu."""
    from bot import evaluation

    try:
        cases = evaluation.read_cases(file)
    except (OSError, evaluation.BadQuestion) as error:
        raise _fail(str(error)) from error

    async def measure() -> tuple[evaluation.Score, evaluation.Score]:
        bot = _Bot()
        await bot.payload("xin chào")
        as_written = await evaluation.evaluate(bot.payload, track(cases, "Có dấu", console=errors))
        folded = evaluation.unaccented(cases)
        return as_written, await evaluation.evaluate(bot.payload, track(folded, "Bỏ dấu", console=errors))

    scores = asyncio.run(measure())
    _print_figures(scores)
    _print_confusion(scores[0])
    _print_reliability(scores[0])
    if failures:
        _print_failures(scores[0])
    if output:
        lines = (
            {"id": r.case.id, "text": r.case.text, "right": r.right, "payload": r.payload}
            for score in scores
            for r in score.results
        )
        output.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


@catalogue_app.command("import")
def catalogue_import(file: Path = typer.Argument(..., help="Tệp .jsonl của Cổng, hoặc .csv/.xlsx theo mẫu.")) -> None:
    """Nạp một tệp vào danh mục: hoặc nạp hết, hoặc không nạp dòng nào."""
    from bot.catalogue import importer
    from bot.runtime import runtime

    def progress(lines: Iterable[importer.Line]) -> Iterable[importer.Line]:
        return track(list(lines), f"Đọc {file.name}", console=errors)

    try:
        report = importer.import_file(runtime().store.engine, file, progress)
    except importer.Unreadable as error:
        raise _fail(str(error)) from error
    for refusal in report.refused:
        errors.print(str(refusal), markup=False, soft_wrap=True)
    if report.refused:
        raise _fail(f"{len(report.refused)} lỗi trong {report.read} dòng. Chưa nạp dòng nào; hãy sửa rồi nạp lại.")
    skipped = f", bỏ qua {report.skipped} dòng chỉ có mã và tên" if report.skipped else ""
    console.print(f"Đọc {report.read} dòng: thêm {report.added}, sửa {report.changed}{skipped}.")


@catalogue_app.command("check")
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
            console.print(line, markup=False, soft_wrap=True)
    if any(finding.severity == check.CONTRADICTION for finding in findings):
        raise typer.Exit(1)


@catalogue_app.command("export")
def catalogue_export(folder: Path = typer.Argument(..., help="Thư mục để ghi các tệp CSV.")) -> None:
    """Ghi cả danh mục ra CSV, mỗi bảng một tệp."""
    from bot.catalogue import importer
    from bot.runtime import runtime

    for path in importer.export(runtime().store.engine, folder):
        console.print(str(path))


@catalogue_app.command("template")
def catalogue_template(file: Path = typer.Argument(..., help="Tệp .xlsx sẽ tạo.")) -> None:
    """Tạo mẫu Excel trống, mỗi bảng một trang."""
    from bot.catalogue import importer

    importer.write_template(file)
    console.print(str(file))


class _Bot:
    """The bot in this process."""

    def __init__(self) -> None:
        from bot.server import load_agent
        from bot.training import ensure_model

        # Training drives an event loop of its own, so it goes through a thread.
        with ThreadPoolExecutor(1) as pool:
            self.agent = load_agent(pool.submit(ensure_model).result())

    async def say(self, text: str, sender: str) -> list[dict[str, Any]]:
        return list(await self.agent.handle_text(text, sender_id=sender) or [])

    async def payload(self, text: str) -> Optional[dict[str, Any]]:
        replies = await self.say(text, uuid.uuid4().hex)
        return next((reply["custom"] for reply in replies if reply.get("custom")), None)


def _print_figures(scores: Any) -> None:
    as_written, folded = scores
    table = Table("Chỉ số", "Có dấu", "Bỏ dấu", "Số câu")
    bare = folded.figures()
    for name, (share, count) in as_written.figures().items():
        table.add_row(name, f"{share:.1%}", f"{bare[name][0]:.1%}", str(count))
    console.print(table)
    console.print(f"Trung vị mỗi câu: {as_written.median_ms():.0f} ms.")


def _print_confusion(score: Any) -> None:
    counts = score.confusion()
    answered = sorted({kind for _, kind in counts})
    table = Table("Hỏi \\ Đáp", *answered)
    for asked in sorted({kind for kind, _ in counts}):
        table.add_row(asked, *(str(counts[asked, kind] or "") for kind in answered))
    console.print(table)


def _print_reliability(score: Any) -> None:
    table = Table(
        "Độ tin bot nói", "Số câu", "Trung bình", "Đúng thật", title="Độ tin cậy (câu bot khẳng định một thủ tục)"
    )
    for band, count, mean, right in score.reliability():
        table.add_row(band, str(count), f"{mean:.2f}", f"{right:.2f}")
    console.print(table)


def _print_failures(score: Any) -> None:
    for result in score.results:
        expected_facet = result.case.facet in (None, *(result.payload.get("facets") or []))
        if not result.right or (result.case.kind == "procedure" and not expected_facet):
            case = result.case
            console.print(
                f"{case.id} [{case.kind}/{case.facet}] {case.text}\n    muốn {' '.join(case.codes[:4]) or '-'}; "
                f"được {result.payload.get('kind')}/{result.payload.get('facets')} {' '.join(result.ranked)} "
                f"({result.payload.get('confidence')})",
                markup=False,
                soft_wrap=True,
            )


def _fail(message: str) -> typer.Exit:
    errors.print(f"Lỗi: {message}", markup=False, soft_wrap=True)
    return typer.Exit(1)


def main() -> None:
    """Entry point; a setting or data file that cannot be used is told in one line, not in a traceback."""
    from bot.phrasebook import BadPhrasebook

    try:
        app()
    except SQLAlchemyError as error:
        problem = str(getattr(error, "orig", None) or error).strip()
        errors.print(f"Lỗi: không dùng được cơ sở dữ liệu: {problem}", markup=False, soft_wrap=True)
        sys.exit(1)
    except (BadPhrasebook, ValueError) as error:
        errors.print(f"Lỗi: {error}", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
