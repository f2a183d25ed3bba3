"""The bot against our own evaluation files; what it gets wrong is known, and the list may only shrink.

The questions, dialogues and places were written by people who had not seen the training data; mistakes in
`questions.jsonl` were looked at while the bot was improved, `blind.jsonl` measures only. Nobody copies either into
`nlu_data/`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.catalogue.store import Catalogue
from bot.evaluation import dialogues, files, places, questions
from bot.server import LocalBot
from tests.conftest import TODAY

HERE = Path(__file__).parent
LONGEST_LIST = 75
"""Lines of `known_failures.txt`. Lower it when a failure is mended; never raise it."""
MOST_WRONG_AND_CONFIDENT = 0.02
WOBBLE = 0.02
"""Share of the cases that may fail beyond the list: the last digits of a model differ between machines."""


def test_only_known_failures(model: Path, catalogue: Catalogue) -> None:
    bot = LocalBot(model)
    asked = [case for name in ("questions", "blind") for case in files.read(HERE / f"{name}.jsonl").questions]
    spoken = files.read(HERE / "dialogues.jsonl").dialogues
    written = files.read(HERE / "places.jsonl").places
    answers = asyncio.run(questions.evaluate(bot.payload, asked)).results
    turns = asyncio.run(dialogues.evaluate(bot.payload, spoken))
    read = places.evaluate(catalogue.places, written, TODAY)
    wrong = {result.case.id for result in answers if not result.right}
    wrong |= {result.case.id for result in read if not result.right}
    wrong |= {f"{result.dialogue}: {result.turn.user}" for result in turns if result.wrong}
    known = _known()
    assert len(known) <= LONGEST_LIST
    assert len(wrong - known) <= WOBBLE * (len(answers) + len(turns) + len(read)), sorted(wrong - known)
    wrong_and_confident = [result.case.id for result in answers if result.wrong_and_confident]
    assert len(wrong_and_confident) <= MOST_WRONG_AND_CONFIDENT * len(answers), wrong_and_confident


def _known() -> set[str]:
    lines = (HERE / "known_failures.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}
