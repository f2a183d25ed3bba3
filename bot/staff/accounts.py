"""The accounts of the staff: roles, passwords, one-time links, lock-out. Knows nothing of the web."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from ipaddress import ip_address, ip_network
from math import ceil
from threading import BoundedSemaphore
from typing import Any, Optional
from unicodedata import normalize

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.staff.tables import account as accounts
from bot.staff.tables import attempt
from bot.staff.tables import session as sessions
from bot.text import fold

SHORTEST = 10
"""Characters of a password."""
LONGEST = 200
LINK_HOURS = 24
"""How long a one-time link can be used."""
WINDOW = timedelta(minutes=15)
"""Failed log-ins are counted over so long, and a lock-out lasts as long."""
PER_ACCOUNT, PER_ADDRESS = 5, 20
"""Failed log-ins within the window after which an account, or an address, is locked out."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
_COMMON = frozenset(
    "1234567890 12345678910 0123456789 9876543210 0987654321 1111111111 0000000000 1234554321 1122334455 123456789a "
    "qwertyuiop asdfghjkl1 qwerty1234 qwerty12345 1q2w3e4r5t 1qaz2wsx3edc password123 password1234 matkhau123 "
    "matkhau1234 matkhau12345 anhyeuem123 iloveyou123 motcua1234 motcua2025 motcua2026 hoimotcua1 hoimotcua123 "
    "hanoi12345 hanoi123456 vietnam123 vietnam1234 vietnam2025 vietnam2026 thudohanoi congchuc123 admin12345 "
    "admin123456 administrator abcdefghij abcd123456 abc1234567 abc123456789 aaaaaaaaaa passwordpassword "
    "matkhaumatkhau 123456789012 letmein123 welcome123 welcome1234".split()
)
_HASHER = PasswordHasher()
_AT_ONCE = BoundedSemaphore(2)
"""Passwords that are checked at the same time: each takes 64 MB, and anybody may ask for it."""
_NOBODY = _HASHER.hash(secrets.token_hex())
"""What the password of an unknown name is compared with, so that the answer takes as long."""


class Role(str, Enum):
    """What a person may do; each role may do what the ones before it may."""

    EDITOR = "editor"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"

    def covers(self, other: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)

    @property
    def label(self) -> str:
        return {"editor": "Biên tập", "publisher": "Xuất bản", "administrator": "Quản trị"}[self.value]


@dataclass(frozen=True)
class Account:
    id: int
    name: str
    full_name: str
    role: Role
    must_change: bool
    disabled: bool
    has_password: bool
    link_until: Optional[datetime]
    created_at: datetime
    seen_at: Optional[datetime]


class Refused(ValueError):
    """Something that accounts do not allow; the message says why, in Vietnamese."""


class LockedOut(Refused):
    """Too many failed log-ins, of an account or from an address."""

    def __init__(self, left: timedelta) -> None:
        self.minutes = max(1, ceil(left / timedelta(minutes=1)))
        super().__init__(f"Đã nhập sai nhiều lần. Bạn thử lại sau {self.minutes} phút.")


class WrongPassword(Refused):
    """The name, or the password, or both: which is not said."""


def now() -> datetime:
    return datetime.now(timezone.utc)


def digest(secret: str) -> str:
    """What is kept of a random token. Such tokens cannot be guessed, so a plain digest is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Accounts:
    """The accounts of one database."""

    def __init__(self, engine: sa.engine.Engine, clock: Callable[[], datetime] = now) -> None:
        self.engine = engine
        self._now = clock

    # Looking up

    def all(self) -> list[Account]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(accounts).order_by(accounts.c.name)).mappings()
            return [account_of(row) for row in rows]

    def get(self, number: int) -> Optional[Account]:
        return self._one(accounts.c.id == number)

    def named(self, name: str) -> Optional[Account]:
        name = name.strip().lower()
        return self._one(accounts.c.name == name) if _NAME.fullmatch(name) else None

    def _one(self, condition: Any) -> Optional[Account]:
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(accounts).where(condition)).mappings().first()
            return account_of(row) if row else None

    # Making and changing

    def add(
        self, name: str, role: Role, full_name: str = "", password: Optional[str] = None, must_change: bool = True
    ) -> Account:
        """A new account; without a password nobody can log in until one is set by a link.

        Raises:
            Refused: the name is not usable or taken, or the password is too weak.
        """
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            raise Refused(
                "Tên đăng nhập cần từ 3 đến 40 ký tự: chữ thường không dấu, số, dấu chấm, gạch nối, gạch dưới."
            )
        values = {
            "name": name,
            "full_name": " ".join(full_name.split())[:100] or name,
            "role": Role(role).value,
            "password": None if password is None else hashed(password, name),
            "must_change": password is not None and must_change,
            "disabled": False,
            "created_at": self._now(),
        }
        try:
            with self.engine.begin() as connection:
                number = connection.execute(sa.insert(accounts).values(**values)).inserted_primary_key[0]
        except sa.exc.IntegrityError as error:
            raise Refused(f"Tên đăng nhập {name} đã có người dùng.") from error
        made = self.get(int(number))
        assert made is not None
        return made

    def set_role(self, number: int, role: Role) -> None:
        """Raises Refused: the last administrator must remain one."""
        with self.engine.begin() as connection:
            self._keep_an_administrator(connection, number, stays=role is Role.ADMINISTRATOR)
            self._update(connection, number, role=Role(role).value)

    def rename(self, number: int, full_name: str) -> None:
        full_name = " ".join(full_name.split())[:100]
        if not full_name:
            raise Refused("Bạn chưa ghi họ tên.")
        with self.engine.begin() as connection:
            self._update(connection, number, full_name=full_name)

    def disable(self, number: int) -> None:
        """Close an account and end its sessions. Raises Refused: it is the last administrator's."""
        with self.engine.begin() as connection:
            self._keep_an_administrator(connection, number, stays=False)
            self._update(connection, number, disabled=True, link=None, link_until=None)
            connection.execute(sa.delete(sessions).where(sessions.c.account == number))

    def enable(self, number: int) -> None:
        with self.engine.begin() as connection:
            self._update(connection, number, disabled=False)

    def make_link(self, number: int) -> str:
        """A one-time token to set a password; the old password and all sessions end at once."""
        token = secrets.token_urlsafe(32)
        until = self._now() + timedelta(hours=LINK_HOURS)
        with self.engine.begin() as connection:
            self._update(connection, number, password=None, link=digest(token), link_until=until)
            connection.execute(sa.delete(sessions).where(sessions.c.account == number))
        return token

    def of_link(self, token: str) -> Optional[Account]:
        """Whose link it is; None: it was used, has run out, or never was."""
        return self._one(self._link(token))

    def set_by_link(self, token: str, password: str) -> Account:
        """Raises Refused: the link is not good (any more), or the password is too weak."""
        found = self.of_link(token)
        if found is None:
            raise Refused("Liên kết đã dùng rồi hoặc đã hết hạn. Bạn nhờ người quản trị tạo liên kết mới.")
        values = {"password": hashed(password, found.name), "must_change": False, "link": None, "link_until": None}
        with self.engine.begin() as connection:
            done = connection.execute(sa.update(accounts).where(self._link(token)).values(**values))
            if done.rowcount != 1:
                raise Refused("Liên kết vừa được dùng ở nơi khác.")
        return found

    def _link(self, token: str) -> Any:
        return sa.and_(
            accounts.c.link == digest(token), accounts.c.link_until > self._now(), accounts.c.disabled.is_(False)
        )

    def change_password(self, number: int, old: str, new: str, address: str = "") -> None:
        """Raises Refused: the old one is wrong (counted as a failed log-in), or the new one too weak or the same."""
        found = self.get(number)
        if found is None:
            raise Refused("Tài khoản không còn.")
        self.check(found.name, old, address)
        if old == new:
            raise Refused("Mật khẩu mới phải khác mật khẩu cũ.")
        with self.engine.begin() as connection:
            self._update(connection, number, password=hashed(new, found.name), must_change=False)

    def _update(self, connection: sa.engine.Connection, number: int, **values: Any) -> None:
        if connection.execute(sa.update(accounts).where(accounts.c.id == number).values(**values)).rowcount != 1:
            raise Refused("Tài khoản không còn.")

    def _keep_an_administrator(self, connection: sa.engine.Connection, number: int, stays: bool) -> None:
        administrators = accounts.c.role == Role.ADMINISTRATOR.value
        # A write that changes nothing, for its lock: two administrators cannot remove each other at once.
        connection.execute(sa.update(accounts).where(administrators).values(role=Role.ADMINISTRATOR.value))
        active = sa.select(accounts.c.id).where(administrators, accounts.c.disabled.is_(False))
        if not stays and set(connection.execute(active).scalars()) == {number}:
            raise Refused("Đây là người quản trị cuối cùng: cần ít nhất một người quản trị.")

    # Logging in

    def check(self, name: str, password: str, address: str) -> Account:
        """The account that a name and password are of.

        Raises:
            LockedOut: too many failures; the password was not looked at.
            WrongPassword: anything else, a closed account included.
        """
        name = name.strip().lower()
        address = _net(address)
        moment = self._now()
        # Counted as failed first and forgiven after: many tries at the same time do not slip through.
        mine = self._note_attempt(name, address, moment)
        try:
            self._refuse_locked_out(name, address, moment, mine)
        except LockedOut:
            self._forget(attempt.c.id == mine)
            raise
        row = self._row(name)
        known = row["password"] if row is not None and row["password"] else None
        if not _fits(known or _NOBODY, password) or row is None or known is None or row["disabled"]:
            raise WrongPassword("Tên đăng nhập hoặc mật khẩu chưa đúng.")
        self._forget(attempt.c.name == digest(name))
        with self.engine.begin() as connection:
            values: dict[str, Any] = {"seen_at": moment}
            if _HASHER.check_needs_rehash(known):
                values["password"] = _HASHER.hash(_composed(password))
            self._update(connection, row["id"], **values)
        return account_of(row)

    def _row(self, name: str) -> Optional[Any]:
        # What cannot be a name is not looked for: PostgreSQL stumbles over some of it.
        if not _NAME.fullmatch(name):
            return None
        with self.engine.connect() as connection:
            return connection.execute(sa.select(accounts).where(accounts.c.name == name)).mappings().first()

    def _note_attempt(self, name: str, address: str, moment: datetime) -> int:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(attempt).where(attempt.c.at < moment - WINDOW))
            values = {"name": digest(name), "address": address, "at": moment}
            return int(connection.execute(sa.insert(attempt).values(**values)).inserted_primary_key[0])

    def _forget(self, condition: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(attempt).where(condition))

    def _refuse_locked_out(self, name: str, address: str, moment: datetime, mine: int) -> None:
        limits = ((attempt.c.name == digest(name), PER_ACCOUNT), (attempt.c.address == address, PER_ADDRESS))
        with self.engine.connect() as connection:
            for condition, most in limits:
                query = sa.select(attempt.c.at).where(condition, attempt.c.id != mine).order_by(attempt.c.at.desc())
                times = list(connection.execute(query.limit(most)).scalars())
                if len(times) == most:
                    raise LockedOut(times[-1] + WINDOW - moment)


def hashed(password: str, name: str) -> str:
    """The argon2 hash of a password that may be used.

    Raises:
        Refused: it is too short, too long, the name, or one that everybody tries first.
    """
    password = _composed(password)
    if len(password) < SHORTEST:
        raise Refused(f"Mật khẩu cần ít nhất {SHORTEST} ký tự; một câu ngắn dễ nhớ là tốt nhất.")
    if len(password) > LONGEST:
        raise Refused(f"Mật khẩu dài tối đa {LONGEST} ký tự.")
    plain = fold(password).replace(" ", "")
    if fold(name) in plain and len(plain) < len(name) + SHORTEST - 2:
        raise Refused("Mật khẩu không được là tên đăng nhập.")
    if plain in _COMMON or len(set(plain)) < 4:
        raise Refused("Mật khẩu này quá dễ đoán, bạn chọn mật khẩu khác.")
    return _HASHER.hash(password)


def _fits(known: str, password: str) -> bool:
    try:
        with _AT_ONCE:
            return _HASHER.verify(known, _composed(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def _composed(password: str) -> str:
    """The same letters however a keyboard put them together: "ễ" is one character here, three there."""
    return normalize("NFC", password)


def _net(address: str) -> str:
    """What failed log-ins are counted by: an IPv4 address, or the /64 that one household or office of IPv6 has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{address}/64", strict=False)) if found.version == 6 else address


def account_of(row: Any) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        full_name=row["full_name"],
        role=Role(row["role"]),
        must_change=row["must_change"],
        disabled=row["disabled"],
        has_password=row["password"] is not None,
        link_until=row["link_until"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
    )
