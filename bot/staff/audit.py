"""The audit log: who changed what, when, from where. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Optional

import sqlalchemy as sa
from starlette.requests import Request

from bot.staff.accounts import now
from bot.staff.tables import audit

HANOI = timezone(timedelta(hours=7))
ACTIONS: Mapping[str, str] = {
    "session.start": "Đăng nhập",
    "session.fail": "Đăng nhập không thành",
    "session.end": "Đăng xuất",
    "people.add": "Thêm tài khoản",
    "people.role": "Đổi vai trò",
    "people.rename": "Đổi họ tên",
    "people.disable": "Khóa tài khoản",
    "people.enable": "Mở lại tài khoản",
    "people.link": "Tạo liên kết đặt mật khẩu",
    "people.password": "Đổi mật khẩu",
    "people.export": "Tải nhật ký",
    "people.logout": "Đăng xuất khỏi mọi thiết bị",
    "catalogue.edit": "Sửa danh mục",
    "catalogue.import": "Nạp tệp vào danh mục",
    "catalogue.undo": "Hoàn tác lần nạp",
    "faq.add": "Thêm câu hỏi thường gặp",
    "faq.edit": "Sửa câu hỏi thường gặp",
    "faq.move": "Chuyển câu hỏi thường gặp",
    "faq.retire": "Ngừng dùng câu hỏi thường gặp",
    "faq.restore": "Dùng lại câu hỏi thường gặp",
    "faq.import": "Nạp câu hỏi từ Excel",
    "phrasing.add": "Thêm cách hỏi",
    "phrasing.edit": "Sửa cách hỏi",
    "phrasing.move": "Chuyển cách hỏi sang tệp khác",
    "phrasing.retire": "Ngừng dùng cách hỏi",
    "phrasing.restore": "Dùng lại cách hỏi",
    "phrasing.import": "Nạp cách hỏi từ Excel",
    "fixed.add": "Thêm câu hỏi cố định",
    "fixed.edit": "Sửa câu hỏi cố định",
    "fixed.retire": "Ngừng dùng câu hỏi cố định",
    "fixed.restore": "Dùng lại câu hỏi cố định",
    "unanswered.phrasing": "Câu chưa trả lời được → cách hỏi",
    "unanswered.faq": "Câu chưa trả lời được → câu hỏi mới",
    "unanswered.out_of_scope": "Câu chưa trả lời được → ngoài phạm vi",
    "unanswered.dismiss": "Bỏ qua câu chưa trả lời được",
    "unanswered.restore": "Đưa lại câu chưa trả lời được",
    "publish.train": "Huấn luyện bản nháp",
    "publish.cancel": "Dừng huấn luyện",
    "publish.publish": "Xuất bản",
    "publish.override": "Xuất bản dù còn câu sai",
    "publish.rollback": "Quay lại phiên bản trước",
    "figures.export": "Tải số liệu",
}
"""What each action is called."""
GROUPS: Mapping[str, str] = {
    "session": "Đăng nhập, đăng xuất",
    "people": "Người dùng",
    "catalogue": "Danh mục",
    "faq": "Câu hỏi thường gặp",
    "phrasing": "Cách hỏi",
    "fixed": "Câu hỏi cố định",
    "unanswered": "Câu chưa trả lời được",
    "publish": "Xuất bản",
    "figures": "Số liệu",
}
"""What the first parts of the actions are called."""


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    who: str
    address: str
    action: str
    target: str
    detail: str

    @property
    def title(self) -> str:
        return ACTIONS.get(self.action, self.action)


def record(request: Request, action: str, target: str = "", detail: str = "") -> None:
    """Note what the person of a request did."""
    user = getattr(request.state, "user", None)
    note(request.app.state.engine, user.name if user else "", request_address(request), action, target, detail)


def note(engine: sa.engine.Engine, who: str, address: str, action: str, target: str = "", detail: str = "") -> None:
    """Note what somebody did, where there is no request (the command line)."""
    values = {"at": now(), "who": who, "address": address, "action": action, "target": target, "detail": detail}
    with engine.begin() as connection:
        connection.execute(sa.insert(audit).values(**values))


def request_address(request: Request) -> str:
    return request.client.host if request.client else ""


def entries(
    engine: sa.engine.Engine,
    who: str = "",
    action: str = "",
    words: str = "",
    since: Optional[date] = None,
    until: Optional[date] = None,
    most: int = 50,
    before: Optional[int] = None,
) -> list[Entry]:
    """The log, newest first.

    Args:
        action: an action, or its first part (`catalogue`).
        words: found in the target or detail, upper or lower case alike.
        since, until: days in Hà Nội, both included.
        before: only entries with a lower number, for the next page.
    """
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(most)
    if who:
        query = query.where(audit.c.who == who)
    if action:
        query = query.where(sa.or_(audit.c.action == action, audit.c.action.startswith(f"{action}.", autoescape=True)))
    if words:
        like = f"%{_literal(words)}%"
        query = query.where(sa.or_(*(one.ilike(like, escape="\\") for one in (audit.c.target, audit.c.detail))))
    if since:
        query = query.where(audit.c.at >= datetime.combine(since, time(), HANOI))
    if until:
        query = query.where(audit.c.at < datetime.combine(until + timedelta(days=1), time(), HANOI))
    if before:
        query = query.where(audit.c.id < before)
    with engine.connect() as connection:
        return [Entry(**row) for row in connection.execute(query).mappings()]


def _literal(words: str) -> str:
    """Words in which % and _ stand for themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
