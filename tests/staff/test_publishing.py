"""Publishing over HTTP, on versions that were made up: who may, what is refused, what is shown, what is noted.

Real training, publishing under fire and coming back: tests/staff/browser/test_publishing.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest

from bot.catalogue.store import Store
from bot.phrasebook import Phrasebook
from bot.releases import snapshot
from bot.releases.job import AUTOMATIC, Jobs
from bot.releases.store import Release, Releases
from bot.releases.workers import Workers
from bot.runtime import Runtime
from bot.settings import settings
from bot.staff import audit, publishing
from bot.staff.accounts import Role
from bot.training import code_digest
from tests.staff.conftest import Console

RIGHT = [["khai sinh ở đâu", "Khai sinh", []], ["xin chào", "xã giao", []]]
WRONG = [["khai sinh ở đâu", "Khai tử", ["cần thủ tục 1.001193"]], ["xin chào", "xã giao", []]]
BIRTH, DEATH = "procedure:1.001193", "procedure:1.000656"
OLD = [
    [BIRTH, "làm khai sinh", BIRTH, 0.9],
    [DEATH, "báo tử cho ông", BIRTH, 0.2],
    [BIRTH, "khai sinh muộn", BIRTH, 0.8],
]
NEW = [
    [BIRTH, "làm khai sinh", BIRTH, 0.9],
    [DEATH, "báo tử cho ông", DEATH, 0.8],
    [BIRTH, "khai sinh muộn", DEATH, 0.1],
]


@pytest.fixture
def staff_runtime(own_engine: Any, own_data: Path, book: Phrasebook, tmp_path: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


@pytest.fixture
def releases(staff_runtime: Runtime) -> Releases:
    """One version is published."""
    found = Releases(staff_runtime.store.engine, staff_runtime.settings.models)
    one = made(found, staff_runtime, fixed=RIGHT, held_out=OLD)
    found.publish_first(one.id, "motcua run")
    return found


def made(releases: Releases, mine: Runtime, fixed: Any, held_out: Any, before: Optional[int] = None) -> Release:
    models = mine.settings.models
    models.mkdir(exist_ok=True)
    name = f"model-{len(releases.all())}"
    (models / name).write_bytes(b"model")
    measured = {"fixed": fixed, "fixed_before": RIGHT, "held_out": held_out, "before": before}
    right = [sum(not wrong for *_, wrong in fixed), len(fixed)]
    figures = {"fixed": right, "held_out": [2, 3]}
    packed = snapshot.pack(mine.settings.nlu_data)
    return releases.add(models / name, packed, "lan", f"data {name}", code_digest(), 31.0, figures, measured)


def test_a_draft_that_passes_is_published_by_a_publisher(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    draft = made(releases, staff_runtime, RIGHT, NEW, before=1)
    person = console.person(Role.PUBLISHER)
    page = person.get("/staff/publishing").text
    assert "báo tử cho ông" in page and "khai sinh muộn" in page, "better and worse, sentence by sentence"
    answer = person.post("/staff/publishing/publish", {"release": draft.id})
    assert answer.status_code == 303
    published = releases.published()
    assert published and published.id == draft.id and releases.draft() is None
    assert audit.entries(releases.engine, action="publish.publish")[0].target == f"phiên bản {draft.id}"


def test_an_editor_trains_and_compares_but_does_not_publish(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    draft = made(releases, staff_runtime, RIGHT, NEW, before=1)
    person = console.person(Role.EDITOR)
    assert "Xuất bản phiên bản" not in person.get("/staff/publishing").text
    assert person.post("/staff/publishing/publish", {"release": draft.id}).status_code == 403
    assert person.post("/staff/publishing/rollback", {"release": 1}).status_code == 403
    assert releases.published_id()[1] == 1


def test_while_a_fixed_question_fails_only_an_administrator_publishes_and_says_why(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    draft = made(releases, staff_runtime, WRONG, NEW, before=1)
    publisher = console.person(Role.PUBLISHER)
    assert "cần thủ tục 1.001193" in publisher.get("/staff/publishing").text
    refused = publisher.post("/staff/publishing/publish", {"release": draft.id})
    assert refused.status_code == 422 and "1 câu hỏi cố định" in refused.text
    forged = publisher.post("/staff/publishing/publish", {"release": draft.id, "override": "1", "reason": "vội"})
    assert forged.status_code == 403
    administrator = console.person(Role.ADMINISTRATOR)
    administrator.get("/staff/publishing")
    silent = administrator.post("/staff/publishing/publish", {"release": draft.id, "override": "1", "reason": "  "})
    assert silent.status_code == 422 and releases.published_id()[1] == 1
    answer = administrator.post(
        "/staff/publishing/publish", {"release": draft.id, "override": "1", "reason": "sửa gấp"}
    )
    assert answer.status_code == 303 and releases.published_id()[1] == draft.id
    assert releases.history()[0].kind == "override" and releases.history()[0].reason == "sửa gấp"
    assert "sửa gấp" in audit.entries(releases.engine, action="publish.override")[0].detail


def test_a_draft_without_fixed_questions_does_not_pass(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    draft = made(releases, staff_runtime, [], NEW, before=1)
    person = console.person(Role.PUBLISHER)
    person.get("/staff/publishing")
    assert person.post("/staff/publishing/publish", {"release": draft.id}).status_code == 422


def test_only_the_draft_that_was_looked_at_is_published(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    seen = made(releases, staff_runtime, RIGHT, NEW, before=1)
    person = console.person(Role.PUBLISHER)
    person.get("/staff/publishing")
    made(releases, staff_runtime, RIGHT, NEW, before=1)
    person.post("/staff/publishing/publish", {"release": seen.id})
    assert releases.published_id()[1] == 1
    assert "không còn là bản mới nhất" in person.get("/staff/publishing").text


def test_an_earlier_version_comes_back_with_one_click(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    two = made(releases, staff_runtime, RIGHT, NEW, before=1)
    person = console.person(Role.PUBLISHER)
    person.get("/staff/publishing")
    assert person.post("/staff/publishing/rollback", {"release": two.id}).status_code == 404, "was never published"
    releases.publish(two.id, "lan", "publish")
    page = person.get("/staff/publishing/versions").text
    assert page.count('action="/staff/publishing/rollback"') == 1
    assert person.post("/staff/publishing/rollback", {"release": 1}).status_code == 303
    assert [row.release for row in releases.history()] == [1, 2, 1] and releases.history()[0].kind == "rollback"
    assert audit.entries(releases.engine, action="publish.rollback")[0].target == "phiên bản 1"


def test_a_version_shows_what_changed_since_the_one_before(
    console: Console, releases: Releases, staff_runtime: Runtime, own_data: Path
) -> None:
    path = own_data / "faq" / "ve-tro-ly.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("topic: ", "topic: Sửa "), encoding="utf-8")
    person = console.person(Role.EDITOR)
    assert "1 thay đổi so với phiên bản 1" in person.get("/staff/publishing").text
    two = made(releases, staff_runtime, RIGHT, NEW, before=1)
    page = person.get(f"/staff/publishing/versions/{two.id}").text
    assert "ve-tro-ly.yml" in page and "<ins>" in page and "<del>" in page and "<td>Chủ đề</td>" in page
    assert person.get("/staff/publishing/versions/99").status_code == 404


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("topic", "Chủ đề"),
        ("faq", "faq"),
        ("faq → gui-xe Gửi xe? → phrasings", "gui-xe Gửi xe? → Cách hỏi"),
        ("faq → gui-xe Gửi xe? → sources → Kiểm thử → as_of", "gui-xe Gửi xe? → Nguồn → Kiểm thử → ngày"),
        ("questions → xin chào → expect → kind", "xin chào → Điều phải đúng → Loại trả lời"),
    ],
)
def test_where_something_changed_is_said_in_the_words_of_the_forms(where: str, words: str) -> None:
    assert publishing.place(where) == words


def test_what_is_new_since_the_bot_started_has_its_name(
    console: Console, releases: Releases, staff_runtime: Runtime, own_data: Path
) -> None:
    text = (own_data / "faq" / "ve-tro-ly.yml").read_text(encoding="utf-8").split("faq:")[0]
    entry = "{question: 'Gửi xe ở đâu?', phrasings: [a, b, c], answer: x, sources: [{title: T, as_of: 2026-01-01}]}"
    (own_data / "faq" / "gui-xe.yml").write_text(f"{text}faq:\n  gui-xe: {entry}\n", encoding="utf-8")
    made(releases, staff_runtime, RIGHT, [*NEW, ["faq:gui-xe", "a b", "faq:gui-xe", 0.9]], before=1)
    assert "câu hỏi chung: Gửi xe ở đâu?" in console.person().get("/staff/publishing").text


def test_files_that_cannot_be_read_are_named(console: Console, releases: Releases, own_data: Path) -> None:
    (own_data / "faq" / "hong.yml").write_text("a: [", encoding="utf-8")
    lan = console.person(Role.EDITOR)
    assert "Chưa đọc được nlu_data/" in lan.get("/staff/publishing").text
    lan.post("/staff/publishing/train")
    told = lan.get("/staff/publishing").text
    assert "Huấn luyện không thành: hong.yml" in told and Jobs(releases.engine).latest() is None


def test_one_training_at_a_time_and_it_can_be_cancelled(
    console: Console, releases: Releases, staff_runtime: Runtime
) -> None:
    jobs = Jobs(staff_runtime.store.engine)
    job = jobs.start("minh")
    person = console.person(Role.EDITOR)
    assert "Dạy bản nháp" not in person.get("/staff/publishing").text
    jobs.beat(job.id, "teach", 0.5)
    assert "Dạy bản nháp" in person.get("/staff/publishing/progress").text
    person.get("/staff/publishing")
    person.post("/staff/publishing/train")
    assert "Đang có một lượt huấn luyện khác" in person.get("/staff/publishing").text
    person.post("/staff/publishing/cancel")
    assert jobs.get(job.id).stop and audit.entries(releases.engine, action="publish.cancel")
    jobs.end(job.id, "cancelled")
    done = person.get("/staff/publishing/progress", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == "/staff/publishing"
    assert "đã bị dừng" in person.get("/staff/publishing").text


def test_figures_that_nobody_asked_for_give_way_to_a_training(
    console: Console, releases: Releases, staff_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    monkeypatch.setattr(Workers, "start", lambda self, job: started.append(job))
    jobs = Jobs(staff_runtime.store.engine)
    measuring = jobs.start(AUTOMATIC, release=1)
    person = console.person(Role.EDITOR)
    assert 'action="/staff/publishing/train"' in person.get("/staff/publishing").text
    person.post("/staff/publishing/train")
    latest = jobs.latest()
    assert latest and started == [latest.id] and latest.who == "thu.editor"
    assert jobs.get(measuring.id).state == "cancelled"


def test_why_a_training_failed_is_told(console: Console, releases: Releases, staff_runtime: Runtime) -> None:
    jobs = Jobs(staff_runtime.store.engine)
    jobs.end(jobs.start("minh").id, "failed", "ho-tich.yml, dòng 3: thiếu dấu hai chấm")
    assert "ho-tich.yml, dòng 3" in console.person(Role.EDITOR).get("/staff/publishing").text


@pytest.mark.parametrize(("text", "named"), [("a\n" * 9, "9 câu"), ("a" * 1001, "1001")])
def test_too_much_to_try_is_refused(console: Console, releases: Releases, text: str, named: str) -> None:
    person = console.person(Role.EDITOR)
    person.get("/staff/publishing/try")
    answer = person.post("/staff/publishing/try", {"text": text})
    assert answer.status_code == 422 and named in answer.text
