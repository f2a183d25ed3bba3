"""Everything that differs from one machine to the next, read from the environment in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """Where this copy of the bot lives and listens."""

    home: Path
    """Folder of everything written at run time: database, models, conversations."""
    database_url: str
    """SQLAlchemy URL of the catalogue."""
    port: int
    today: date
    """The date that "now" means. `MOTCUA_TODAY` sets it, so that an expiry can be tried out."""

    @property
    def models(self) -> Path:
        return self.home / "models"


def settings() -> Settings:
    """Read the environment.

    Raises:
        ValueError: a variable holds something that cannot be used; the message names it.
    """
    home = Path(os.environ.get("MOTCUA_HOME") or PROJECT_ROOT / ".motcua").expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    return Settings(
        home=home,
        database_url=os.environ.get("DATABASE_URL") or f"sqlite:///{home / 'catalogue.sqlite'}",
        port=_port(os.environ.get("PORT") or "5005"),
        today=_today(os.environ.get("MOTCUA_TODAY")),
    )


def _port(value: str) -> int:
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise ValueError(f"PORT={value!r}: cần một số từ 1 đến 65535.")
    return int(value)


def _today(value: str | None) -> date:
    if not value:
        return date.today()
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"MOTCUA_TODAY={value!r}: cần một ngày dạng 2026-11-23.") from error
