from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import settings as module
from bot.settings import HANOI, PROJECT_ROOT, settings


@pytest.fixture(autouse=True)
def _no_telegram(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "X"):
        monkeypatch.delenv(f"TELEGRAM_BOT_{name}", raising=False)


def test_without_a_token_there_is_no_telegram() -> None:
    assert settings().telegram is None


def test_a_token_is_enough_to_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:AbC-d_e")
    found = settings().telegram
    assert found is not None and found.webhook_url == "" and found.api_base_url == "https://api.telegram.org"


def test_the_webhook_secret_is_derived_and_not_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:AbC")
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", "https://bot.example.vn/")
    found, again = settings().telegram, settings().telegram
    assert found is not None and found == again
    assert found.webhook_url == "https://bot.example.vn"
    assert "AbC" not in repr(found) and found.webhook_secret not in repr(found)
    assert len(found.webhook_secret) == 64 and "AbC" not in found.webhook_secret


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "khong-phai-token"),
        ("TELEGRAM_WEBHOOK_URL", "bot.example.vn"),
        ("TELEGRAM_WEBHOOK_SECRET", "có dấu cách"),
        ("TELEGRAM_API_BASE_URL", "localhost:8081"),
    ],
)
def test_a_bad_setting_is_named_without_its_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:AbC")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name) as caught:
        settings()
    assert "AbC" not in str(caught.value)


def test_folder_of_the_phrasebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings().nlu_data == PROJECT_ROOT / "nlu_data"
    monkeypatch.setenv("MOTCUA_NLU_DATA", str(tmp_path))
    assert settings().nlu_data == tmp_path.resolve()
    monkeypatch.setenv("MOTCUA_NLU_DATA", str(tmp_path / "khong-co"))
    with pytest.raises(ValueError, match="MOTCUA_NLU_DATA"):
        settings()


def test_today_moves_on_while_the_bot_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOTCUA_TODAY")
    found, before = settings(), datetime.now(HANOI)

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return before + timedelta(days=1)

    monkeypatch.setattr(module, "datetime", Tomorrow)
    assert found.today == (before + timedelta(days=1)).date()
