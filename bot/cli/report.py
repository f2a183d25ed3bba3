"""`motcua report delegation`."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer
from rich.table import Table

from bot.cli.competence import ON_HELP, day_of
from bot.cli.output import console, say

app = typer.Typer(help="Báo cáo.", no_args_is_help=True)
LONG = ("luot_giao", "don_vi", "linh_vuc", "thieu_quy_trinh")
"""Sections that are too long for a screen: in the files, and on demand."""


@app.command("delegation")
def delegation_command(
    on: str = typer.Option("", "--on", help=ON_HELP),
    everything: bool = typer.Option(False, "--all", help="In cả các phần dài (từng lượt giao, từng phường xã)."),
    xlsx: Optional[Path] = typer.Option(None, "--xlsx", help="Ghi ra một tệp Excel, có biểu đồ."),
    csv: Optional[Path] = typer.Option(None, "--csv", help="Ghi ra một thư mục tệp CSV, mỗi phần một tệp."),
) -> None:
    """Phân cấp, ủy quyền: số liệu tính từ danh mục, và số liệu đã công bố để riêng kèm chỗ chưa khớp."""
    from bot.catalogue import report
    from bot.runtime import runtime

    current = runtime()
    found = report.build(current.catalogue(), day_of(on, current.settings.today))
    for section in report.tables(found):
        if everything or section.name not in LONG:
            table = Table(*section.header, title=section.title, caption=section.note)
            for row in section.text_rows():
                table.add_row(*row)
            console.print(table)
    if not everything:
        say("Các phần dài (từng lĩnh vực, phường xã, lượt giao, lượt thiếu quy trình): thêm --all, --csv hoặc --xlsx.")
    if csv:
        for path in report.write_csv(found, csv):
            say(str(path))
    if xlsx:
        report.write_xlsx(found, xlsx)
        say(str(xlsx))
