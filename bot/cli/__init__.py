"""`motcua`: run, ask, evaluate, and look after the catalogue. Everything it prints is for people, in Vietnamese."""

from __future__ import annotations

import sys

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.console import quiet

quiet()

from bot.cli import catalogue, competence, measure, releases, report, staff, talk  # noqa: E402
from bot.cli.output import errors  # noqa: E402

app = typer.Typer(
    help="Hỏi Một Cửa: thủ tục nào, cơ quan nào, ở đâu.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(talk.run)
app.command("train")(talk.train_command)
app.command("publish")(releases.publish_command)
app.command("releases")(releases.releases_command)
app.command()(talk.ask)
app.command("eval")(measure.eval_command)
app.command("competence")(competence.competence_command)
app.command("decision")(competence.decision_command)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(report.app, name="report")
app.add_typer(staff.app, name="staff")


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
