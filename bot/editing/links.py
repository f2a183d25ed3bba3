"""Whether a link leads anywhere: asked of its server, once in a while, and never inside the own network."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import Optional
from urllib.parse import urljoin, urlsplit

import httpx

from bot.catalogue.records import DEAD_LINKS

PATIENCE = 4.0
"""Seconds a server has to answer."""
KEPT = 600
"""Seconds for which an answer is believed."""
HOPS = 5
LONGEST = 2000
_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; HoiMotCua link check)", "Accept": "text/html,*/*"}


class State(Enum):
    WRONG = "wrong"
    """No link that citizens could be given."""
    DEAD = "dead"
    """Its server says that there is no such page, or there is no such server."""
    UNKNOWN = "unknown"
    """It could not be asked, or did not answer in time."""
    ALIVE = "alive"


@dataclass(frozen=True)
class Verdict:
    state: State
    why: str = ""
    """In Vietnamese."""


def shape(url: str) -> Optional[Verdict]:
    """What is wrong with a link as it is written; None: nothing."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return Verdict(State.WRONG, "không đúng dạng của một liên kết")
    if parts.scheme not in ("http", "https"):
        return Verdict(State.WRONG, "phải bắt đầu bằng https:// hoặc http://")
    if any(c.isspace() or not c.isprintable() for c in url) or len(url) > LONGEST:
        return Verdict(State.WRONG, "có dấu cách, hoặc quá dài")
    if "." not in host.strip(".") or parts.username is not None:
        return Verdict(State.WRONG, "thiếu tên trang (ví dụ dichvucong.gov.vn)")
    known = next((part for part in DEAD_LINKS if part in url), None)
    if known:
        return Verdict(State.WRONG, f"loại liên kết này đã ngừng hoạt động ({known})")
    return None


class Links:
    """Asks servers, and remembers what they said."""

    def __init__(self, inside: bool = False) -> None:
        """`inside`: addresses of the own network may be asked, too (for tests)."""
        self._inside = inside
        self._known: dict[str, tuple[float, Verdict]] = {}
        self._lock = Lock()

    def check(self, urls: Iterable[str]) -> dict[str, Verdict]:
        """All at once; takes no longer than the slowest."""
        wanted = list(dict.fromkeys(urls))
        if not wanted:
            return {}
        with ThreadPoolExecutor(max_workers=min(8, len(wanted))) as pool:
            return dict(zip(wanted, pool.map(self._one, wanted)))

    def _one(self, url: str) -> Verdict:
        wrong = shape(url)
        if wrong is not None and not (self._inside and wrong.why.startswith("thiếu tên")):
            return wrong
        with self._lock:
            at, verdict = self._known.get(url, (0.0, None))
        if verdict is None or time.monotonic() - at > KEPT:
            verdict = self._ask(url)
            with self._lock:
                self._known[url] = (time.monotonic(), verdict)
        return verdict

    def _ask(self, url: str) -> Verdict:
        try:
            with httpx.Client(timeout=PATIENCE, headers=_HEADERS) as client:
                for _ in range(HOPS):
                    refusal = self._outside(url)
                    if refusal is not None:
                        return refusal
                    with client.stream("GET", url) as answer:
                        if not answer.is_redirect:
                            return _said(answer.status_code)
                        url = urljoin(url, answer.headers["location"])
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            slow = isinstance(error, httpx.TimeoutException)
            return Verdict(State.UNKNOWN, "trang không trả lời kịp" if slow else "không kết nối được tới trang")
        return Verdict(State.UNKNOWN, "trang chuyển hướng quá nhiều lần")

    def _outside(self, url: str) -> Optional[Verdict]:
        """Staff must not be able to look around in the server's own network by the answers to their links."""
        parts = urlsplit(url)
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno == socket.EAI_NONAME:
                return Verdict(State.DEAD, f"không có trang nào tên {parts.hostname}")
            return Verdict(State.UNKNOWN, "máy chủ của trang cán bộ chưa ra được mạng")
        addresses = [ipaddress.ip_address(str(each[4][0]).split("%")[0]) for each in found]
        if not self._inside and not all(address.is_global for address in addresses):
            return Verdict(State.WRONG, "dẫn vào mạng nội bộ, người dân không mở được")
        return None


def _said(status: int) -> Verdict:
    if status in (404, 410):
        return Verdict(State.DEAD, f"trang báo không còn (lỗi {status})")
    if status >= 500:
        return Verdict(State.UNKNOWN, f"trang đang lỗi ({status})")
    # 401, 403, 429…: there is a page, only not for programs.
    return Verdict(State.ALIVE)
