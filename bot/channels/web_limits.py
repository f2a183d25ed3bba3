"""How much one session and one address may ask in a minute: counted in memory, or in Redis for several servers."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from typing import Any, Optional

from limits import RateLimitItem, parse, storage
from limits.errors import StorageError
from limits.strategies import MovingWindowRateLimiter

logger = logging.getLogger(__name__)

# Many phones share one address in Vietnam (carrier-grade NAT), and so does a ward's waiting room.
LIMITS: dict[str, tuple[tuple[str, RateLimitItem], ...]] = {
    "message": (("session", parse("20/minute")), ("address", parse("200/minute"))),
    "act": (("session", parse("30/minute")), ("address", parse("300/minute"))),
    "open": (("address", parse("120/minute")),),
    "listen": (("session", parse("90/minute")), ("address", parse("900/minute"))),
}
"""What is done → whose doing of it is counted, and how often it may be done."""


class Limits:
    """Counts what is done."""

    def __init__(self, redis_url: Optional[str] = None) -> None:
        self._here = MovingWindowRateLimiter(storage.MemoryStorage())
        self._shared: Optional[MovingWindowRateLimiter] = None
        if redis_url:
            options: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1, "wrap_exceptions": True}
            self._shared = MovingWindowRateLimiter(storage.storage_from_string(redis_url, **options))

    async def wait(self, what: str, session: str, address: str) -> int:
        """Count one more.

        Args:
            what: a key of `LIMITS`.

        Returns:
            seconds until it may be done; 0: it may be done now.
        """
        if self._shared is not None:
            try:
                return await asyncio.to_thread(_wait, self._shared, what, session, address)
            except StorageError as error:
                logger.warning("Redis: %s; đếm lượt hỏi trong bộ nhớ.", error)
        return _wait(self._here, what, session, address)


def _wait(limiter: MovingWindowRateLimiter, what: str, session: str, address: str) -> int:
    for whose, limit in LIMITS[what]:
        name = (what, whose, session if whose == "session" else _network(address))
        if not limiter.hit(limit, *name):
            return max(1, math.ceil(limiter.get_window_stats(limit, *name).reset_time - time.time()))
    return 0


def _network(address: str) -> str:
    """An address, or for IPv6 the network that one household has all of."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
