"""Shared by all tests: a home of its own, a loaded catalogue, and one trained model for everyone."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from bot.console import quiet

quiet()
# Before anything reads the settings: tests never touch a developer's own data.
_HOME = tempfile.mkdtemp(prefix="motcua-test-")
os.environ["MOTCUA_HOME"] = _HOME
# Models are named by what they are made from: safe to keep between runs, and shared by pytest-xdist's workers, which
# get the environment of the process that starts them.
_MODELS = os.environ.get("TEST_MODELS") or tempfile.mkdtemp(prefix="motcua-test-models-")
os.environ["TEST_MODELS"] = _MODELS
Path(_HOME, "models").symlink_to(_MODELS)
os.environ["MOTCUA_TODAY"] = "2026-11-23"
os.environ.pop("DATABASE_URL", None)

from bot.catalogue import database, importer, store  # noqa: E402

TODAY = date(2026, 11, 23)
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@localhost/postgres")

# Speed is measured by `make bench`; a slow machine must not fail a test of behaviour.
hypothesis.settings.register_profile("motcua", deadline=None)
hypothesis.settings.load_profile("motcua")
CHROMIUM = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running, beside which no other test could run one."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. CI must have it; elsewhere its tests say that they are skipped."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI needs Chromium: apt-get install chromium"
        pytest.skip("không có Chromium (apt-get install chromium)")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield found
        found.close()


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


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.engine.Engine]:
    """An empty catalogue on SQLite, and again on PostgreSQL where one listens on this machine."""
    if request.param == "sqlite":
        yield database.connect(f"sqlite:///{tmp_path / 'either.sqlite'}")
        return
    name = f"motcua_test_{uuid.uuid4().hex}"
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT", future=True)
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError:
        pytest.skip(f"không có PostgreSQL ở {POSTGRES}")
    found = database.connect(str(sa.engine.make_url(POSTGRES).set(database=name)))
    yield found
    found.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))


@pytest.fixture(scope="session")
def model() -> Iterator[Path]:
    """The trained model, made once, whichever worker asks first."""
    from bot.training import ensure_model

    with FileLock(Path(_MODELS) / ".lock"):
        found = ensure_model()
    yield found
