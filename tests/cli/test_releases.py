"""`motcua publish` and `motcua releases`, with a trainer that only pretends.

Real training: tests/staff/browser/test_publishing.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from bot.catalogue.store import Store
from bot.cli import app
from bot.cli import releases as command
from bot.phrasebook import NLU_DATA, Phrasebook
from bot.releases import measure, snapshot
from bot.releases.job import AUTOMATIC, Jobs
from bot.releases.store import Releases
from bot.releases.workers import Workers
from bot.runtime import Runtime, using
from bot.settings import settings
from bot.staff import audit
from bot.training import code_digest, data_digest
from tests.staff.conftest import book as book
from tests.staff.conftest import own_engine as own_engine

BIRTH, DEATH = "procedure:1.001193", "procedure:1.000656"
RIGHT: list[list[Any]] = [["khai sinh ở đâu", "Khai sinh", []]]
WRONG: list[list[Any]] = [["khai sinh ở đâu", "Khai tử", ["cần thủ tục 1.001193"]]]
OLD = [[BIRTH, "làm khai sinh", BIRTH, 0.9], [DEATH, "báo tử", BIRTH, 0.2]]
NEW = [[BIRTH, "làm khai sinh", BIRTH, 0.9], [DEATH, "báo tử", DEATH, 0.8]]


class Desk:
    """A home with a published version, and somebody at its command line."""

    def __init__(self, mine: Runtime) -> None:
        self.mine = mine
        self.releases = Releases(mine.store.engine, mine.settings.models)
        self.jobs = Jobs(mine.store.engine)
        self.data = mine.settings.nlu_data
        self.trained = 0

    def motcua(self, *words: str) -> Result:
        with using(self.mine):
            return CliRunner().invoke(app, list(words))

    def made(self, fixed: list[list[Any]], held_out: list[list[Any]], before: int = 0) -> int:
        self.mine.settings.models.mkdir(exist_ok=True)
        model = self.mine.settings.models / f"model-{len(self.releases.all())}"
        model.write_bytes(b"model")
        measured = {"fixed": fixed, "held_out": held_out, "before": before}
        packed, digests = snapshot.pack(self.data), (data_digest(self.data), code_digest())
        return self.releases.add(model, packed, "lan", *digests, 31.0, measure.figures(measured), measured).id

    def edit(self) -> None:
        path = self.data / "facets.yml"
        path.write_text(path.read_text(encoding="utf-8") + "# sửa\n", encoding="utf-8")

    def did(self) -> list[str]:
        return [each.action for each in audit.entries(self.releases.engine)]


@pytest.fixture
def desk(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path) -> Desk:
    data = tmp_path / "nlu_data"
    data.mkdir()
    for name in ("abbreviations", "facets", "follow_up", "replies"):
        shutil.copy(NLU_DATA / f"{name}.yml", data)
    found = Desk(Runtime(replace(settings(), home=tmp_path, nlu_data=data), Store(own_engine), lambda: book))
    found.releases.publish_first(found.made(RIGHT, OLD), "motcua run")
    return found


@pytest.fixture
def trainer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Told what the fixed questions will give, or why the training fails."""
    outcome: list[Any] = [RIGHT]

    def start(self: Workers, job: int) -> None:
        desk.trained += 1
        if isinstance(outcome[0], str):
            desk.jobs.end(job, "failed", outcome[0])
        else:
            desk.jobs.end(job, "done", release=desk.made(outcome[0], NEW, before=1))

    monkeypatch.setattr(Workers, "start", start)
    monkeypatch.setattr(command, "LOOKS", 0.01)
    yield lambda told: outcome.__setitem__(0, told)


def test_edited_files_are_trained_measured_and_published(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    done = desk.motcua("publish")
    assert done.exit_code == 0, done.output
    assert "câu hỏi cố định đúng 1/1" in done.output and "1 cách hỏi tốt lên, 0 kém đi" in done.output
    assert "Đã xuất bản phiên bản 2" in done.output
    assert desk.releases.published_id()[1] == 2 and desk.releases.history()[0].kind == "publish"
    assert desk.did()[:2] == ["publish.publish", "publish.train"]
    assert audit.entries(desk.releases.engine)[0].address == "dòng lệnh"

    again = desk.motcua("publish")
    assert again.exit_code == 0 and "Không có gì mới: phiên bản 2" in again.output and desk.trained == 1


def test_while_a_fixed_question_fails_nothing_is_published_without_a_reason(
    desk: Desk, trainer: Callable[[Any], None]
) -> None:
    desk.edit()
    trainer(WRONG)
    for words in (["publish"], ["publish", "--override", "  "]):
        refused = desk.motcua(*words)
        assert refused.exit_code == 1 and "1 câu hỏi cố định còn trả lời sai" in refused.output
        assert "✗ khai sinh ở đâu → Khai tử (cần thủ tục 1.001193)" in refused.output
        assert "--override" in refused.output and desk.releases.published_id()[1] == 1
    done = desk.motcua("publish", "--override", "sửa gấp")
    assert done.exit_code == 0 and desk.releases.published_id()[1] == 2
    assert desk.trained == 1, "the draft that is at hand is taken"
    assert (desk.releases.history()[0].kind, desk.releases.history()[0].reason) == ("override", "sửa gấp")
    assert "1 câu sai; lý do: sửa gấp" in audit.entries(desk.releases.engine, action="publish.override")[0].detail


def test_a_reason_that_is_not_needed_is_not_noted(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    assert desk.motcua("publish", "--override", "cho chắc").exit_code == 0
    assert desk.releases.history()[0].kind == "publish" and desk.releases.history()[0].reason == ""


def test_without_fixed_questions_nothing_passes(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    trainer([])
    refused = desk.motcua("publish")
    assert refused.exit_code == 1 and "chưa được hỏi câu cố định nào" in refused.output
    assert desk.releases.published_id()[1] == 1


def test_a_draft_of_older_files_is_not_taken(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    desk.made(RIGHT, NEW, before=1)
    desk.edit()
    assert desk.motcua("publish").exit_code == 0 and desk.trained == 1 and desk.releases.published_id()[1] == 3


def test_why_a_training_failed_is_told(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    trainer("faq/a.yml, dòng 3: thiếu dấu hai chấm")
    failed = desk.motcua("publish")
    assert failed.exit_code == 1 and "faq/a.yml, dòng 3" in failed.output and "Traceback" not in failed.output
    assert desk.releases.published_id()[1] == 1


def test_a_broken_file_is_named_before_anything_is_trained(desk: Desk, trainer: Callable[[Any], None]) -> None:
    (desk.data / "fixed_questions.yml").write_text("questions: [{ask: a, expect: {kind: x}}]", encoding="utf-8")
    refused = desk.motcua("publish")
    assert refused.exit_code == 1 and "fixed_questions.yml" in str(refused.exception) and desk.trained == 0


def test_somebody_elses_training_is_not_disturbed(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    job = desk.jobs.start("minh")
    refused = desk.motcua("publish")
    assert refused.exit_code == 1 and "Đang có một lượt huấn luyện khác" in refused.output
    assert desk.jobs.get(job.id).is_running and desk.trained == 0
    desk.jobs.end(job.id, "cancelled")
    measuring = desk.jobs.start(AUTOMATIC, release=1)
    assert desk.motcua("publish").exit_code == 0 and desk.jobs.get(measuring.id).state == "cancelled"


def test_ctrl_c_stops_the_training(desk: Desk, trainer: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit()
    monkeypatch.setattr(Workers, "start", lambda self, job: None)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupted)
    stopped = desk.motcua("publish")
    job = desk.jobs.latest()
    assert stopped.exit_code == 1 and "không có gì thay đổi" in stopped.output and job and job.stop


def test_versions_are_listed_and_which_one_answers(desk: Desk, trainer: Callable[[Any], None]) -> None:
    desk.edit()
    listed = desk.motcua("releases").output
    assert "đang phục vụ" in listed and "motcua publish" in listed and "1/2" in listed
    desk.made(WRONG, NEW, before=1)
    assert "bản nháp" in desk.motcua("releases").output
