"""`motcua publish`, `motcua releases`: what the console's page "Thử và xuất bản" does, for those who work by git."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.cli.output import console, errors, fail, say

if TYPE_CHECKING:
    from bot.releases.store import Release, Releases
    from bot.runtime import Runtime

LOOKS = 0.5
"""Seconds between looks at how far a training is."""
AT = "dòng lệnh"
"""Where somebody sits, for the audit log."""


def publish_command(
    override: str = typer.Option(
        "", "--override", metavar="LÝ DO", help="Vẫn xuất bản dù còn câu hỏi cố định trả lời sai; lý do vào nhật ký."
    ),
) -> None:
    """Huấn luyện và đo bot với các tệp nlu_data/ hiện có, rồi xuất bản; bot đang chạy dùng ngay bản mới.

    Quy tắc như ở /staff/publishing: còn câu hỏi cố định trả lời sai thì không xuất bản, trừ khi ghi lý do.
    """
    from bot.releases import measure, snapshot, starting

    current, releases = _place()
    packed, published = snapshot.pack(current.settings.nlu_data), releases.published()
    if published and releases.snapshot(published.id) == packed and starting.usable_model(releases, published):
        say(f"Không có gì mới: phiên bản {published.id} đang phục vụ được làm từ chính các tệp này.")
        return
    starting.check_files(current.settings.nlu_data)
    draft = releases.draft()
    if draft is None or releases.snapshot(draft.id) != packed or not starting.usable_model(releases, draft):
        draft = _trained(current, releases)
    measured = releases.measured(draft.id)
    _tell(releases, draft, measured)
    refusal = measure.refusal(measured)
    if refusal and not override.strip():
        raise fail(f'{refusal} Vẫn muốn xuất bản: motcua publish --override "lý do".')
    _publish(releases, draft, measure.failed(measured), override.strip() if refusal else "")


def releases_command() -> None:
    """Các phiên bản của bot, mới nhất trước: ai huấn luyện, lúc nào, đúng bao nhiêu, bản nào đang phục vụ."""
    from bot.releases import starting
    from bot.releases.measure import told
    from bot.staff.pages import moment

    current, releases = _place()
    published, draft = releases.published(), releases.draft()
    by_number = {row.release: row for row in reversed(releases.history())}
    table = Table("Phiên bản", "Huấn luyện", "Câu cố định", "Hỏi lại", "Xuất bản")
    for one in releases.all():
        row = by_number.get(one.id)
        state = f"{moment(row.at)} {row.who}" if row else "bản nháp" if draft and one.id == draft.id else "–"
        now = " ← đang phục vụ" if published and one.id == published.id else ""
        figures = [told(one.figures.get(name)) for name in ("fixed", "held_out")]
        table.add_row(str(one.id), f"{moment(one.at)} {one.who}", *figures, state + now)
    console.print(table)
    if published is None:
        say("Chưa có phiên bản nào được xuất bản.")
    elif starting.differs(current, published):
        say(f"nlu_data/ đã khác phiên bản {published.id} đang phục vụ: motcua publish.")


def _place() -> tuple[Runtime, Releases]:
    from bot.releases.store import Releases
    from bot.runtime import runtime

    current = runtime()
    return current, Releases(current.store.engine, current.settings.models)


def _trained(current: Runtime, releases: Releases) -> Release:
    """A new version of the files as they are, trained and measured in a process of its own."""
    from bot.releases.job import Busy, Jobs
    from bot.releases.workers import Workers

    jobs, who = Jobs(current.store.engine), getpass.getuser()
    try:
        job = jobs.start_before_others(who)
    except Busy as busy:
        raise fail(str(busy)) from busy
    _note(releases, "publish.train", f"lượt {job.id}")
    Workers(current).start(job.id)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=errors, transient=True) as bar:
            task = bar.add_task(job.title, total=1.0)
            while job.is_running:
                bar.update(task, completed=job.done, description=job.title)
                time.sleep(LOOKS)
                jobs.bury()
                job = jobs.get(job.id)
    except KeyboardInterrupt:
        jobs.cancel(job.id)
        _note(releases, "publish.cancel", f"lượt {job.id}")
        raise fail("đã dừng, không có gì thay đổi") from None
    made = releases.get(job.release) if job.release else None
    if made is None:
        raise fail(f"huấn luyện không thành: {job.problem or 'đã bị dừng'}")
    return made


def _tell(releases: Releases, draft: Release, measured: dict[str, Any]) -> None:
    """How a version fares, beside the one that answers now."""
    from bot.releases import measure

    fixed, held_out = (measure.told(draft.figures.get(name)) for name in ("fixed", "held_out"))
    say(f"Phiên bản {draft.id}: câu hỏi cố định đúng {fixed}, hỏi lại từng cách hỏi đúng {held_out}.")
    for one in measure.fixed_pairs(measured):
        if one.wrong:
            say(f"  ✗ {one.title} → {one.answer} ({'; '.join(one.wrong)})")
    other = int(measured.get("before") or 0)
    before = releases.measured(other).get("held_out") if other else None
    if before:
        moved = measure.compare(before, measured.get("held_out") or [])
        say(f"So với phiên bản {other}: {len(moved.better)} cách hỏi tốt lên, {len(moved.worse)} kém đi.")


def _publish(releases: Releases, draft: Release, failed: list[str], reason: str) -> None:
    who = getpass.getuser()
    releases.publish(draft.id, who, "override" if reason else "publish", reason)
    releases.prune()
    detail = f"{len(failed)} câu sai; lý do: {reason}" if reason else ""
    _note(releases, "publish.override" if reason else "publish.publish", f"phiên bản {draft.id}", detail)
    say(f"Đã xuất bản phiên bản {draft.id}. Bot đang chạy dùng phiên bản này sau vài giây.")


def _note(releases: Releases, action: str, target: str, detail: str = "") -> None:
    from bot.staff import audit

    audit.note(releases.engine, getpass.getuser(), AT, action, target, detail)
