"""Runs `tests/conversations/*.yml` with Rasa's own conversation tester."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

STORIES = sorted((Path(__file__).parent / "conversations").glob("*.yml"))


@pytest.mark.parametrize("stories", STORIES, ids=lambda path: path.stem)
def test_conversation(model: Path, stories: Path, tmp_path: Path) -> None:
    from rasa.core.test import test as run_stories

    from bot.server import load_agent

    report = asyncio.run(
        run_stories(str(stories), load_agent(model), out_directory=str(tmp_path), e2e=True, disable_plotting=True)
    )
    failed = tmp_path / "failed_test_stories.yml"
    assert report["report"]["conversation_accuracy"]["accuracy"] == 1.0, failed.read_text(encoding="utf-8")
