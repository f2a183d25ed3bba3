"""Everything that differs from one machine to the next, read from the environment in one place."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

_TOKEN = re.compile(r"\d+:[\w-]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
HANOI = timezone(timedelta(hours=7))
PROJECT_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Telegram:
    """How Telegram is reached, and reaches us (docs/telegram.md)."""

    token: str = field(repr=False)
    webhook_url: str = ""
    """Public https address of this server; empty: long polling."""
    webhook_secret: str = field(default="", repr=False)
    api_base_url: str = "https://api.telegram.org"
    """Another Bot API server: Telegram's own local one, or a test one."""


@dataclass(frozen=True)
class Web:
    """How the web chat is reached (docs/web-protocol.md)."""

    sites: Path = PROJECT_ROOT / "sites.yml"
    """The websites that may show it."""
    redis_url: str = ""
    """Where several servers count together how much is asked; empty: each in its own memory."""


@dataclass(frozen=True)
class Settings:
    """Where this copy of the bot lives and listens."""

    home: Path
    """Folder of everything written at run time: database, models, conversations."""
    database_url: str
    """SQLAlchemy URL of the catalogue."""
    port: int
    fixed_today: Optional[date] = None
    """The date that "now" means, set by `MOTCUA_TODAY` so that an expiry can be tried out; None: the calendar's."""

    telegram: Optional[Telegram] = None
    """None: no token, no Telegram."""
    https: bool = False
    """People reach this server by https only: cookies are never sent without."""
    proxies: frozenset[str] = frozenset()
    """Addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    web: Web = Web()
    nlu_data: Path = PROJECT_ROOT / "nlu_data"
    """Folder that the staff console edits and the bot is trained from."""

    @property
    def today(self) -> date:
        """Today in Hà Nội, whatever the machine's time zone; a bot that runs for weeks moves on with the days."""
        return self.fixed_today or datetime.now(HANOI).date()

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
        fixed_today=_today(os.environ.get("MOTCUA_TODAY")),
        telegram=_telegram(os.environ),
        https=_switch("MOTCUA_HTTPS"),
        proxies=frozenset(filter(None, (part.strip() for part in os.environ.get("MOTCUA_PROXIES", "").split(",")))),
        web=_web(os.environ),
        nlu_data=_folder("MOTCUA_NLU_DATA") or Settings.nlu_data,
    )


def _folder(name: str) -> Optional[Path]:
    value = os.environ.get(name, "").strip()
    if value and not Path(value).expanduser().is_dir():
        raise ValueError(f"{name}={value!r}: không có thư mục này.")
    return Path(value).expanduser().resolve() if value else None


def _web(env: Mapping[str, str]) -> Web:
    redis = env.get("REDIS_URL", "").strip()
    if redis and not redis.startswith(("redis://", "rediss://", "redis+unix://")):
        raise ValueError("REDIS_URL: cần dạng redis://máy:cổng/số.")
    sites = env.get("MOTCUA_SITES", "").strip()
    return Web(Path(sites).expanduser() if sites else Web.sites, redis)


def _telegram(env: Mapping[str, str]) -> Optional[Telegram]:
    token = env.get("TELEGRAM_BOT_TOKEN", "").strip()
    if not token:
        return None
    if not _TOKEN.fullmatch(token):
        raise ValueError("TELEGRAM_BOT_TOKEN: không đúng dạng số:chữ mà BotFather đưa.")
    url = env.get("TELEGRAM_WEBHOOK_URL", "").strip().rstrip("/")
    if url and not url.startswith(("https://", "http://")):
        raise ValueError(f"TELEGRAM_WEBHOOK_URL={url!r}: cần địa chỉ https công khai của máy chủ này.")
    # One secret for all machines behind one address, without one more setting to keep.
    derived = hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()
    secret = env.get("TELEGRAM_WEBHOOK_SECRET", "").strip() or derived
    if not _SECRET.fullmatch(secret):
        raise ValueError("TELEGRAM_WEBHOOK_SECRET: chỉ gồm chữ không dấu, số, gạch dưới, gạch nối, tối đa 256 ký tự.")
    base = env.get("TELEGRAM_API_BASE_URL", "").strip().rstrip("/") or Telegram.api_base_url
    if not base.startswith(("https://", "http://")):
        raise ValueError(f"TELEGRAM_API_BASE_URL={base!r}: cần địa chỉ dạng https://máy-chủ.")
    return Telegram(token, url, secret, base)


def _switch(name: str) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value not in ("", "0", "1", "true", "false"):
        raise ValueError(f"{name}={value!r}: cần 1 (có) hoặc 0 (không).")
    return value in ("1", "true")


def _port(value: str) -> int:
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise ValueError(f"PORT={value!r}: cần một số từ 1 đến 65535.")
    return int(value)


def _today(value: str | None) -> Optional[date]:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"MOTCUA_TODAY={value!r}: cần một ngày dạng 2026-11-23.") from error
