"""Pictures for the staff's guide (docs/huong-dan-can-bo.md), taken by the tests when `MOTCUA_SCREENSHOTS=1`."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

from bot.settings import PROJECT_ROOT

FOLDER = Path(os.environ.get("MOTCUA_SCREENSHOTS_TO") or PROJECT_ROOT / "docs" / "images")


def shot(page: Page, name: str, whole: bool = True) -> None:
    """Write docs/images/staff-NAME.png, if asked to."""
    if os.environ.get("MOTCUA_SCREENSHOTS") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1000, "height": 760})
        page.screenshot(path=FOLDER / f"staff-{name}.png", full_page=whole, animations="disabled")
