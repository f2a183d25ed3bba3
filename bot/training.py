"""Training the bot's model, and telling whether the one at hand still fits its inputs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Optional

from bot import phrasebook
from bot.runtime import runtime, using
from bot.settings import PROJECT_ROOT

CONFIG = PROJECT_ROOT / "config.yml"
DOMAIN = PROJECT_ROOT / "domain.yml"
RASA_FILES = ("intents", "rules.yml")
"""What of `nlu_data/` is in Rasa's own format."""

_CODE = (
    "bot/nlu",
    "bot/catalogue/search.py",
    "bot/catalogue/low_rank.py",
    "bot/catalogue/low_rank_steps.py",
    "bot/text.py",
    "bot/understanding.py",
    "uv.lock",
)


def code_digest() -> str:
    """Of what a model is made by: configuration and our own components. A model of other code cannot be loaded."""
    code = [path for name in _CODE for path in sorted((PROJECT_ROOT / name).rglob("*.py"))]
    code += [PROJECT_ROOT / name for name in _CODE if (PROJECT_ROOT / name).is_file()]
    return _digest([CONFIG, DOMAIN, *code], PROJECT_ROOT)


def data_digest(folder: Optional[Path] = None) -> str:
    """Of what staff wrote: the files of `nlu_data/`."""
    folder = folder or runtime().settings.nlu_data
    return _digest(phrasebook.files(folder), folder)


def fingerprint(folder: Optional[Path] = None) -> str:
    """A digest of everything that the model is made from: data, code, and the names of the catalogue."""
    procedures = runtime().catalogue().local_procedures()
    names = json.dumps(sorted((code, str(p.name)) for code, p in procedures.items()))
    return hashlib.sha256(f"{code_digest()} {data_digest(folder)} {names}".encode()).hexdigest()[:16]


def model_path(models: Optional[Path] = None, folder: Optional[Path] = None) -> Path:
    """Where the model of the present inputs is, or would be."""
    return (models or runtime().settings.models) / f"motcua-{fingerprint(folder)}.tar.gz"


def ensure_model(folder: Optional[Path] = None) -> Path:
    """The model of the present inputs, trained now if it is not at hand."""
    path = model_path(folder=folder)
    return path if path.exists() else train(path, folder=folder)


def examples(folder: Path) -> list[tuple[str, str]]:
    """Text and intent of Rasa's training examples in a folder like `nlu_data/`."""
    from rasa.shared.nlu.constants import INTENT, TEXT
    from rasa.shared.nlu.training_data.loading import load_data

    return [(one.get(TEXT), one.get(INTENT)) for one in load_data(str(folder / "intents")).intent_examples]


def train(path: Path, config: Path = CONFIG, folder: Optional[Path] = None) -> Path:
    """Train a model.

    Args:
        folder: in the place of `nlu_data/`.

    Raises:
        BadPhrasebook: a file of the folder cannot be used.
        RuntimeError: Rasa could not train; the message names the file that says why.
    """
    from rasa.model_training import train as rasa_train

    folder = folder or runtime().settings.nlu_data
    path.parent.mkdir(parents=True, exist_ok=True)
    log = path.parent / "training.log"
    # Rasa writes a model piece by piece; others must find it whole or not at all.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".training-") as rough:
        made = Path(rough) / path.name
        with (
            log.open("w", encoding="utf-8") as output,
            redirect_stdout(output),
            redirect_stderr(output),
            using(runtime().with_data(folder)),
        ):
            result = rasa_train(
                domain=str(DOMAIN),
                config=str(config),
                training_files=[str(folder / name) for name in RASA_FILES],
                output=rough,
                fixed_model_name=path.name.removesuffix(".tar.gz"),
                force_training=True,
            )
        # Rasa leaves its own event loop closed behind it.
        asyncio.set_event_loop(asyncio.new_event_loop())
        if result.code != 0 or result.model is None:
            raise RuntimeError(f"không huấn luyện được mô hình, xem {log}")
        made.replace(path)
    return path


def _digest(paths: Iterable[Path], root: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]
