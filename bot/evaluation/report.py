"""The figures of an evaluation, as tables for a person (in Vietnamese)."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.evaluation.dialogues import TurnResult, share_right
from bot.evaluation.places import PlaceResult
from bot.evaluation.questions import Result, Score


def print_questions(console: Console, as_written: Score, folded: Score) -> None:
    table = Table("Chỉ số", "Có dấu", "Bỏ dấu", "Số câu")
    bare = folded.figures()
    for name, (share, count) in as_written.figures().items():
        table.add_row(name, f"{share:.1%}", f"{bare[name][0]:.1%}", str(count))
    console.print(table)
    console.print(f"Trung vị mỗi câu: {as_written.median_ms():.0f} ms.")
    _print_confusion(console, as_written)
    _print_reliability(console, as_written)


def print_dialogues(console: Console, results: Sequence[TurnResult]) -> None:
    spoken = len({result.dialogue for result in results})
    console.print(f"Hội thoại: đúng {share_right(results):.1%} của {len(results)} lượt ({spoken} cuộc).")


def print_places(console: Console, results: Sequence[PlaceResult]) -> None:
    right = sum(result.right for result in results) / len(results)
    console.print(f"Địa danh: đúng {right:.1%} của {len(results)} câu.")


def question_failures(results: Sequence[Result]) -> list[str]:
    lines = []
    for result in results:
        case = result.case
        faceted = case.facet in (None, *(result.payload.get("facets") or []))
        if result.right and (case.kind != "procedure" or faceted):
            continue
        lines.append(
            f"{case.id} [{case.kind}/{case.facet}] {case.text}\n    muốn {' '.join(case.codes[:4]) or '-'}; "
            f"được {result.payload.get('kind')}/{result.payload.get('facets')} {' '.join(result.ranked)} "
            f"({result.payload.get('confidence')})"
        )
    return lines


def dialogue_failures(results: Sequence[TurnResult]) -> list[str]:
    wrong = [result for result in results if result.wrong]
    return [f"{result.dialogue} {result.turn.user}\n    {'; '.join(result.wrong)}" for result in wrong]


def place_failures(results: Sequence[PlaceResult]) -> list[str]:
    return [
        f"{result.case.id} {result.case.text}\n    muốn {result.case.found} {' '.join(result.case.units)}; "
        f"được {result.mention.found.value} {' '.join(result.mention.units)}"
        for result in results
        if not result.right
    ]


def _print_confusion(console: Console, score: Score) -> None:
    counts = score.confusion()
    answered = sorted({kind for _, kind in counts})
    table = Table("Hỏi \\ Đáp", *answered)
    for asked in sorted({kind for kind, _ in counts}):
        table.add_row(asked, *(str(counts[asked, kind] or "") for kind in answered))
    console.print(table)


def _print_reliability(console: Console, score: Score) -> None:
    table = Table(
        "Độ tin bot nói", "Số câu", "Trung bình", "Đúng thật", title="Độ tin cậy (câu bot khẳng định một thủ tục)"
    )
    for band, count, mean, right in score.reliability():
        table.add_row(band, str(count), f"{mean:.2f}", f"{right:.2f}")
    console.print(table)
