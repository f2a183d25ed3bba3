from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot import phrasebook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All of `nlu_data/`, to be changed."""
    found = tmp_path / "nlu_data"
    shutil.copytree(phrasebook.NLU_DATA, found, ignore=shutil.ignore_patterns(".lock"))
    return found


@pytest.fixture
def small(folder: Path) -> Path:
    """All of the FAQ, a few files of phrasings."""
    for path in (folder / "phrasings").glob("*.yml"):
        if path.name not in ("giam-ngheo.yml", "ho-tich.yml", "dang-ky-xe.yml"):
            path.unlink()
    path = folder / "missing.yml"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:60]))
    return folder
