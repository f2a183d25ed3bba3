"""The sections of the console, in the order of the menu."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from bot.staff.accounts import Account, Role

NAMES = ("content", "unanswered", "publishing", "figures", "catalogue", "people")


@dataclass(frozen=True)
class Entry:
    title: str
    path: str


def modules() -> list[ModuleType]:
    return [import_module(f"bot.staff.{name}") for name in NAMES]


def menu(person: Account) -> list[Entry]:
    """What a person sees in the menu."""
    return [Entry(each.TITLE, each.PATH) for each in modules() if person.role.covers(Role(each.ROLE))]
