"""Shared by all tests: a home of its own, a loaded catalogue, and one trained model for everyone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from bot.console import quiet

quiet()
# Before anything reads the settings: tests never touch a developer's own data.
_HOME = tempfile.mkdtemp(prefix="motcua-test-")
os.environ["MOTCUA_HOME"] = _HOME
os.environ["MOTCUA_TODAY"] = "2026-11-23"
os.environ.pop("DATABASE_URL", None)

from bot.catalogue import database, importer, store  # noqa: E402

TODAY = date(2026, 11, 23)

# Speed is measured by `make bench`; a slow machine must not fail a test of behaviour.
hypothesis.settings.register_profile("motcua", deadline=None)
hypothesis.settings.load_profile("motcua")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> sa.engine.Engine:
    """A catalogue with the shipped facts. Read only: tests that write make their own."""
    found = database.connect(f"sqlite:///{tmp_path_factory.mktemp('catalogue') / 'shared.sqlite'}")
    importer.load_shipped(found)
    return found


@pytest.fixture(scope="session")
def catalogue(engine: sa.engine.Engine) -> store.Catalogue:
    return store.load(engine)


@pytest.fixture
def empty(tmp_path: Path) -> sa.engine.Engine:
    """An empty catalogue with the authorities."""
    found = database.connect(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    importer.import_file(found, importer.SHIPPED / "authorities.csv")
    return found


@pytest.fixture(scope="session")
def model() -> Iterator[Path]:
    """The trained model, made once."""
    from bot.training import ensure_model

    yield ensure_model()
