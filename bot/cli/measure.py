"""`motcua eval`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer
from rich.progress import track

from bot.cli.output import console, errors, fail
from bot.cli.talk import local_bot

if TYPE_CHECKING:
    from bot.evaluation import questions
    from bot.evaluation.files import Case


def eval_command(
    file: Path = typer.Argument(..., help="Tệp câu hỏi .jsonl."),
    failures: bool = typer.Option(False, "--failures", help="Liệt kê các câu chưa đúng."),
    output: Optional[Path] = typer.Option(None, "--output", help="Ghi từng kết quả ra tệp .jsonl."),
) -> None:
    """Đo bot trên một tệp câu hỏi, hội thoại hoặc địa danh; câu hỏi được đo cả bản có dấu và bản bỏ dấu."""
    from bot.evaluation import dialogues, files, places, report

    try:
        cases = files.read(file)
    except (OSError, files.BadQuestion) as error:
        raise fail(str(error)) from error
    wrong: list[str] = []
    if cases.questions:
        scores = asyncio.run(_evaluate_questions(cases.questions))
        report.print_questions(console, *scores)
        wrong += report.question_failures(scores[0].results)
        if output:
            _write_results(output, [result for score in scores for result in score.results])
    if cases.dialogues:
        turns = asyncio.run(
            dialogues.evaluate(local_bot().payload, track(cases.dialogues, "Hội thoại", console=errors))
        )
        report.print_dialogues(console, turns)
        wrong += report.dialogue_failures(turns)
    if cases.places:
        from bot.runtime import runtime

        current = runtime()
        read = places.evaluate(current.catalogue().places, cases.places, current.settings.today)
        report.print_places(console, read)
        wrong += report.place_failures(read)
    if failures:
        for line in wrong:
            console.print(line, markup=False, soft_wrap=True)


async def _evaluate_questions(cases: Sequence[Case]) -> tuple[questions.Score, questions.Score]:
    """As written, and without diacritics."""
    from bot.evaluation import questions

    bot = local_bot()
    await bot.payload("xin chào")
    as_written = await questions.evaluate(bot.payload, track(cases, "Có dấu", console=errors))
    folded = questions.unaccented(cases)
    return as_written, await questions.evaluate(bot.payload, track(folded, "Bỏ dấu", console=errors))


def _write_results(output: Path, results: Iterable[questions.Result]) -> None:
    lines = ({"id": r.case.id, "text": r.case.text, "right": r.right, "payload": r.payload} for r in results)
    output.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
