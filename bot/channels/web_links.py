"""Addresses that may become links, wherever they come from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

SCHEMES = ("http", "https", "tel", "mailto")


def is_safe(url: object) -> bool:
    """Whether a browser that follows the address only goes to a page, a telephone or a mailbox."""
    if not isinstance(url, str) or any(sign <= " " for sign in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc if parts.scheme.startswith("http") else parts.path)


def without_unsafe(payload: Any) -> Any:
    """An answer's payload without addresses that are not safe, and without links that lead nowhere then."""
    if isinstance(payload, dict):
        clean = {key: without_unsafe(value) for key, value in payload.items()}
        for key in ("url", "map_url"):
            if key in clean and not is_safe(clean[key]):
                clean[key] = None
        if isinstance(clean.get("links"), list):
            clean["links"] = [link for link in clean["links"] if isinstance(link, dict) and link.get("url")]
        return clean
    return [without_unsafe(item) for item in payload] if isinstance(payload, (list, tuple)) else payload
