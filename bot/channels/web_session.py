"""Who a browser is: a random name that the server gives and signs. Nothing a client makes up is taken for one."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone
from typing import Optional

import jwt

from bot.memory import KEPT_DAYS

COOKIE = "mot_cua"
LASTS = timedelta(days=KEPT_DAYS)
_ALGORITHM = "HS256"


class Sessions:
    """Issues and reads the tokens."""

    def __init__(self, key: bytes) -> None:
        """`key`: secret, at least 32 bytes."""
        self._key = key

    def issue(self, id: str = "") -> str:
        """A token for a session, a new one if none is named; each lasts `LASTS` from now."""
        claims = {"sub": id or secrets.token_urlsafe(24), "exp": datetime.now(timezone.utc) + LASTS}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: object) -> Optional[str]:
        """The session's id; None where the token is not ours, was changed, or has expired."""
        if not isinstance(token, str) or not token:
            return None
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM], options={"require": ["sub", "exp"]})
        except (jwt.InvalidTokenError, ValueError):
            return None
        return str(claims["sub"])
