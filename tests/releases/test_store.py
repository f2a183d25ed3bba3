from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.releases.store import Release, Releases


def made(releases: Releases, models: Path, name: str, **more: Any) -> Release:
    models.mkdir(exist_ok=True)
    (models / name).write_bytes(name.encode() * 3)
    return releases.add(models / name, b"snapshot of " + name.encode(), "lan", "data", "code", **more)


def test_the_last_published_answers_and_the_newest_that_was_not_is_the_draft(
    either: sa.engine.Engine, tmp_path: Path
) -> None:
    releases = Releases(either, tmp_path / "models")
    assert releases.published() is None and releases.draft() is None and releases.published_id() == (0, 0)
    one = made(releases, tmp_path / "models", "a")
    assert releases.publish_first(one.id, "motcua run") and not releases.publish_first(one.id, "motcua run")
    two = made(releases, tmp_path / "models", "b", figures={"fixed": [1, 2]}, measured={"fixed": [["x", "y", []]]})
    draft, published = releases.draft(), releases.published()
    assert draft and published and (draft.id, published.id) == (two.id, one.id)
    releases.publish(two.id, "minh", "override", "gấp")
    releases.publish(one.id, "minh", "rollback")
    published = releases.published()
    assert published and published.id == one.id and releases.draft() is None
    assert [(row.release, row.kind, row.reason) for row in releases.history()] == [
        (one.id, "rollback", ""),
        (two.id, "override", "gấp"),
        (one.id, "first", ""),
    ]
    assert releases.snapshot(two.id) == b"snapshot of b"
    assert releases.measured(two.id) == {"fixed": [["x", "y", []]]} and releases.measured(one.id) == {}
    with pytest.raises(LookupError):
        releases.snapshot(99)


def test_of_servers_that_start_together_one_publishes(either: sa.engine.Engine, tmp_path: Path) -> None:
    releases = Releases(either, tmp_path / "models")
    number = made(releases, tmp_path / "models", "a").id
    won: list[bool] = []
    threads = [threading.Thread(target=lambda: won.append(releases.publish_first(number, "x"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True] and len(releases.history()) == 1


def test_a_server_with_a_disk_of_its_own_fetches_the_model(either: sa.engine.Engine, tmp_path: Path) -> None:
    here, there = Releases(either, tmp_path / "here"), Releases(either, tmp_path / "there")
    number = made(here, tmp_path / "here", "a").id
    assert here.model(number) == tmp_path / "here" / "a"
    found = there.model(number)
    if either.dialect.name == "sqlite":
        assert found is None, "SQLite is one machine: nothing is copied into the database"
    else:
        assert found and found.read_bytes() == b"aaa"


def test_pruning_keeps_what_answers_the_last_ones_and_the_draft(either: sa.engine.Engine, tmp_path: Path) -> None:
    models = tmp_path / "models"
    releases = Releases(either, models)
    numbers = [made(releases, models, name).id for name in "abcdef"]
    for number in numbers[:4]:
        releases.publish(number, "lan", "publish")
    releases.publish(numbers[0], "lan", "rollback")
    gone = releases.prune(keep=2)
    assert gone == [numbers[4], numbers[2], numbers[1]], "the last two published, and the newest draft, stay"
    assert sorted(path.name for path in models.iterdir()) == ["a", "d", "f"]
    assert releases.model(numbers[1]) is None and releases.snapshot(numbers[1]) == b"snapshot of b"
    assert releases.prune(keep=2) == []


def test_a_model_that_two_versions_share_stays_with_the_one_that_stays(
    either: sa.engine.Engine, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    releases = Releases(either, models)
    numbers = [made(releases, models, name).id for name in ("same", "other", "same")]
    for number in numbers:
        releases.publish(number, "lan", "publish")
    assert releases.prune(keep=1) == [numbers[1], numbers[0]]
    assert [path.name for path in models.iterdir()] == ["same"]
