"""Before a server starts: the published version's model must be at hand. The first start publishes what was shipped."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Optional

from bot import phrasebook
from bot.evaluation import fixed
from bot.releases import snapshot
from bot.releases.store import Release, Releases
from bot.runtime import Runtime

SHIPPED = "motcua run"
"""Who published what was shipped."""


def usable_model(releases: Releases, one: Release) -> Optional[Path]:
    """The model of a version; None: it is gone, or was made by other code and could not be loaded."""
    from bot.training import code_digest

    return releases.model(one.id) if one.code == code_digest() else None


def ensure_published(current: Runtime) -> Release:
    """The published version, its model at hand.

    Raises:
        BadPhrasebook: nothing was published yet, and the files cannot be used.
        RuntimeError: a model had to be trained and could not be.
    """
    releases = Releases(current.store.engine, current.settings.models)
    if releases.published() is None:
        _publish_shipped(current, releases)
    found = releases.published()
    assert found is not None
    if usable_model(releases, found) is None:
        _restore(releases, found)
    return found


def differs(current: Runtime, published: Release) -> bool:
    """Whether the files on disk are other ones than those that the published version was made from."""
    from bot.training import data_digest

    return data_digest(current.settings.nlu_data) != published.data


def check_files(folder: Path) -> None:
    """Whether a version can be made of the files of a folder: said at once, rather than by a training that fails.

    Raises:
        BadPhrasebook: a file cannot be used; the message says which, where and why.
    """
    phrasebook.load(folder)
    fixed.read(folder)


def _publish_shipped(current: Runtime, releases: Releases) -> None:
    from bot.training import code_digest, data_digest, ensure_model

    folder = current.settings.nlu_data
    packed, data = snapshot.pack(folder), data_digest(folder)
    made = releases.add(ensure_model(folder), packed, SHIPPED, data, code_digest())
    releases.publish_first(made.id, SHIPPED)


def _restore(releases: Releases, one: Release) -> None:
    """Make a version's model anew, from the data that it was made from."""
    from bot.training import code_digest, ensure_model

    with tempfile.TemporaryDirectory(prefix="motcua-restore-") as folder:
        model = ensure_model(snapshot.unpack(releases.snapshot(one.id), Path(folder) / "data"))
    releases.replace_model(one.id, model, code_digest())
