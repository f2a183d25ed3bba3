"""Training the bot's model, and telling whether the one at hand still fits its inputs."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Optional

from bot import phrasebook
from bot.runtime import runtime
from bot.settings import PROJECT_ROOT

CONFIG = PROJECT_ROOT / "config.yml"
DOMAIN = PROJECT_ROOT / "domain.yml"
RASA_FILES = ("intents", "rules.yml")
"""What of `nlu_data/` is in Rasa's own format."""

_CODE = ("bot/nlu", "bot/catalogue/search.py", "bot/text.py", "bot/understanding.py", "uv.lock")


def fingerprint() -> str:
    """A digest of everything that the model is made from: data, configuration, names, our own components."""
    total = hashlib.sha256()
    code = [path for name in _CODE for path in sorted((PROJECT_ROOT / name).rglob("*.py") or [])] + [
        PROJECT_ROOT / name for name in _CODE if (PROJECT_ROOT / name).is_file()
    ]
    for path in [CONFIG, DOMAIN, *phrasebook.files(), *code]:
        total.update(str(path.relative_to(PROJECT_ROOT)).encode() + b"\0" + path.read_bytes())
    procedures = runtime().catalogue().local_procedures()
    total.update(json.dumps(sorted((code, str(p.name)) for code, p in procedures.items())).encode())
    return total.hexdigest()[:16]


def model_path(models: Optional[Path] = None) -> Path:
    """Where the model of the present inputs is, or would be."""
    return (models or runtime().settings.models) / f"motcua-{fingerprint()}.tar.gz"


def ensure_model() -> Path:
    """The model of the present inputs, trained now if it is not at hand."""
    path = model_path()
    return path if path.exists() else train(path)


def train(path: Path, config: Path = CONFIG) -> Path:
    """Train a model.

    Raises:
        RuntimeError: Rasa could not train; the message names the file that says why.
    """
    from rasa.model_training import train as rasa_train

    path.parent.mkdir(parents=True, exist_ok=True)
    log = path.parent / "training.log"
    with log.open("w", encoding="utf-8") as output, redirect_stdout(output), redirect_stderr(output):
        result = rasa_train(
            domain=str(DOMAIN),
            config=str(config),
            training_files=[str(phrasebook.NLU_DATA / name) for name in RASA_FILES],
            output=str(path.parent),
            fixed_model_name=path.name.removesuffix(".tar.gz"),
            force_training=True,
        )
    # Rasa leaves its own event loop closed behind it.
    asyncio.set_event_loop(asyncio.new_event_loop())
    if result.code != 0 or result.model is None:
        raise RuntimeError(f"không huấn luyện được mô hình, xem {log}")
    return Path(result.model)
