"""What the bot says, and the payload that channels draw from: facts from the catalogue, each with its source.

Words are for citizens: Vietnamese, short, "bạn". What is not known is said to be not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Optional
from urllib.parse import urlsplit

from bot.catalogue import portal, register
from bot.catalogue.competence import Competence, Verdict
from bot.catalogue.records import (
    TWO_LEVEL_START,
    Authority,
    Decision,
    Delegation,
    DelegationKind,
    Level,
    OnlineLevel,
    Procedure,
    ServicePoint,
    TimeUnit,
    Unit,
)
from bot.catalogue.store import Catalogue

FACETS = ("office", "documents", "fee", "time", "online", "legal", "delegation", "status", "how")
NOT_IN_DATA = "chưa có trong dữ liệu"
HOTLINE = "1022 (nhánh 7 hoặc 8) hoặc 1900 1009"
CITY_CENTRE = "ttpvhcc"
SURE = 0.6
"""From this confidence on the runners-up are not offered as buttons (they stay in the payload)."""
ANY_DESK = "Điểm phục vụ hành chính công phường, xã hoặc Chi nhánh Trung tâm Phục vụ hành chính công thành phố"
FEE_SUPPORT = "77/2025/NQ-HĐND"
ONE_STOP_DECREE = "118/2025/NĐ-CP"
LEGAL_DATABASE = "https://vbpl.vn"
MOST_DECISIONS = 3
"""Documents that are told of at once, where a number fits several."""

_KIND_WORDS = {
    DelegationKind.BY_LAW: "phân quyền",
    DelegationKind.DEVOLVED: "phân cấp",
    DelegationKind.MANDATED: "ủy quyền",
}
_TIME_WORDS = {
    TimeUnit.HOUR: "giờ",
    TimeUnit.DAY: "ngày",
    TimeUnit.WORKING_DAY: "ngày làm việc",
    TimeUnit.MONTH: "tháng",
}
_ONLINE_WORDS = {
    OnlineLevel.FULL: "Làm trọn vẹn trên mạng được (dịch vụ công trực tuyến toàn trình).",
    OnlineLevel.PARTIAL: "Làm trên mạng được một phần (dịch vụ công trực tuyến một phần).",
    OnlineLevel.INFORMATION: "Trên mạng chỉ có thông tin, chưa nộp hồ sơ được.",
    OnlineLevel.UNKNOWN: "Cổng Dịch vụ công quốc gia có ghi kênh nộp trực tuyến cho thủ tục này.",
    OnlineLevel.NONE: "Dữ liệu không ghi kênh nộp trực tuyến cho thủ tục này.",
}
# Bodies under the City People's Committee: the one-stop desks take their papers, and the City Council's
# support of online fees reaches them. Police, tax, insurance, army and banks keep their own desks.
_PLACE_FACETS = frozenset({"office", "delegation", "how"})
_CITY_KINDS = frozenset({"ubnd", "chu_tich", "phong", "so", "chi_cuc", "vpdk", "co_quan", "ban_quan_ly"})


@dataclass(frozen=True)
class Button:
    title: str
    payload: str
    """A Rasa payload: `/intent{"entity": "value"}`."""


@dataclass(frozen=True)
class Answer:
    """One reply: words, buttons, and the contract's payload (docs/architecture.md)."""

    text: str
    payload: dict[str, Any]
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Question:
    """What is asked, after everything was understood."""

    procedure: str
    facets: tuple[str, ...] = ("office",)
    unit: Optional[str] = None
    unit_choices: tuple[str, ...] = ()
    """Units to choose from, where the place that was named is several today."""
    place_name: str = ""
    """The place as it was named, where it is not a unit of that day."""
    only_place: bool = False
    """The citizen did not ask anew, but told where they are."""
    day: date = field(default_factory=date.today)
    today: date = field(default_factory=date.today)
    confidence: float = 1.0
    runners_up: tuple[str, ...] = ()


def payload(kind: str, **parts: Any) -> dict[str, Any]:
    """A payload with every key of the contract.

    Shape: `{"kind", "facet", "facets", "procedure", "choices", "unit", "office", "competence", "links",
    "sources", "confidence"}`; see docs/architecture.md.
    """
    empty: dict[str, Any] = {
        "kind": kind,
        "facet": None,
        "facets": [],
        "procedure": None,
        "choices": [],
        "unit": None,
        "office": None,
        "competence": None,
        "links": [],
        "sources": [],
        "confidence": 1.0,
    }
    unknown = parts.keys() - empty.keys()
    assert not unknown, unknown
    return {**empty, **parts}


class Writer:
    """Writes answers from one version of the catalogue."""

    def __init__(self, catalogue: Catalogue, short_names: Optional[Mapping[str, str]] = None) -> None:
        self.catalogue = catalogue
        self._short = short_names or {}

    def label(self, code: str) -> str:
        """A name that fits on a button."""
        procedure = self.catalogue.procedures.get(code)
        name = self._short.get(code) or (procedure.name if procedure else code)
        return name if len(name) <= 90 else name[:87].rstrip(" ,;(") + "…"

    # -- a procedure -------------------------------------------------------------------------------

    def procedure(self, question: Question) -> Answer:
        """The answer about one procedure: a section per facet that was asked, links and sources."""
        procedure = self.catalogue.procedures[question.procedure]
        competence = self.catalogue.competence(procedure.code, question.unit, question.day)
        sections = [self._section(facet, procedure, competence, question) for facet in question.facets]
        must_choose = bool(question.unit_choices) and self._wants_place(competence, question)
        text = "\n".join([self._heading(procedure, question), *filter(None, sections)])
        if must_choose:
            text += "\n" + self._place_question(question)
        elif self._wants_place(competence, question) and not question.unit:
            where = "phường/xã" if question.day >= TWO_LEVEL_START else "quận, huyện"
            text += f"\nBạn ở {where} nào? Nhắn tên để mình nêu đúng nơi."
        text += "\n" + self._source_line(procedure, competence)
        if question.runners_up and question.confidence < SURE and not must_choose:
            text += "\nNếu bạn hỏi việc khác, chọn bên dưới."
        # A district has many successors: a general answer serves until the ward is known. A split ward
        # has few, and naming one of them would be a guess.
        is_missing = question.only_place or len(question.unit_choices) <= 4
        kind = "place_needed" if must_choose and is_missing else "procedure"
        return Answer(text, self._payload(kind, procedure, competence, question), self._buttons(question, must_choose))

    def _heading(self, procedure: Procedure, question: Question) -> str:
        unit = self.catalogue.places.units.get(question.unit or "")
        where = f" – {self.unit_in_full(unit)}" if unit else ""
        when = "" if question.day == question.today else f" (tính ngày {day_text(question.day)})"
        return f"{self.label(procedure.code)}{where}{when}"

    def unit_in_full(self, unit: Unit) -> str:
        """A unit's name; that of a former ward with its district, of which many had one of the same name."""
        parent = self.catalogue.places.units.get(unit.parent or "")
        return f"{unit.name}, {parent.name[:1].lower()}{parent.name[1:]}" if parent else str(unit.name)

    def _section(self, facet: str, procedure: Procedure, competence: Competence, question: Question) -> str:
        if facet == "office":
            return self._office_section(procedure, competence, question)
        if facet == "documents":
            return self._documents_section(procedure)
        if facet == "fee":
            return self._fee_section(procedure, competence, question)
        if facet == "time":
            return self._time_section(procedure)
        if facet == "online":
            return self._online_section(procedure)
        if facet == "legal":
            return self._legal_section(procedure, competence, question)
        if facet == "delegation":
            return self._delegation_section(procedure, competence, question)
        if facet == "status":
            return self._status_section()
        return self._how_section(procedure, competence, question)

    def _office_section(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        lines = [f"• Nơi giải quyết: {self._handler(competence, question)}."]
        decider = self.authority_name(competence.authority, question.unit)
        base = competence.base
        if base and base.handler and competence.verdict is Verdict.BASE and decider:
            lines.append(f"• Người có thẩm quyền quyết định: {decider}.")
        if base and base.also and competence.verdict is Verdict.BASE:
            others = ", ".join(filter(None, (self.authority_name(code, question.unit) for code in base.also[:3])))
            lines.append(f"• Tùy trường hợp còn có: {others}.")
        if base and not base.certain and competence.verdict is Verdict.BASE:
            lines.append("• Lưu ý: Cổng chưa ghi rõ cơ quan, mình suy từ cấp thực hiện; nên gọi hỏi trước khi đi.")
        lines.append(f"• Vì sao: {self._why(procedure, competence, question)}")
        lines += [f"• {note}" for note in self._last_day_notes(competence, question.day)]
        if question.day == question.today:
            lines.extend(self._submission(procedure, competence, question))
        return "\n".join(lines)

    def _handler(self, competence: Competence, question: Question) -> str:
        if competence.verdict is Verdict.UNKNOWN:
            return f"{NOT_IN_DATA} cho ngày {day_text(question.day)}"
        if competence.verdict is Verdict.ENDED:
            former = self.authority_name(competence.authority, None)
            return (
                f"{NOT_IN_DATA}; cơ quan trước đây là {former}, văn bản chuyển giao đã hết hiệu lực. "
                f"Hãy gọi {HOTLINE} để hỏi nơi nộp"
            )
        if competence.verdict is Verdict.CONTRADICTION:
            name = self.authority_name(competence.authority, question.unit)
            return (
                f"dữ liệu đang mâu thuẫn giữa các quyết định; thẩm quyền gốc là {name}. Hãy gọi {HOTLINE} để chắc chắn"
            )
        code = self._handler_code(competence)
        return self.authority_name(code, question.unit) or NOT_IN_DATA

    def competence(self, procedure: Procedure, found: Competence, unit: Optional[str], day: date) -> list[str]:
        """Who handles a procedure and why, line by line, for people who look it up."""
        question = Question(procedure.code, unit=unit, day=day)
        lines = [self._handler(found, question)]
        for row, document in zip(found.chain, self._documents(found)):
            lines.append(f"  {self._step(row, unit)}{_at(document.url if document else None)}")
        lines += [f"  {note}" for note in self._last_day_notes(found, day)]
        if not found.chain:
            lines.append(f"  {self._why(procedure, found, question)}")
        if found.base:
            lines.append(f"  Nguồn thẩm quyền gốc: {_host(found.base.source)}, ngày {day_text(found.base.as_of)}.")
        return lines

    def _handler_code(self, competence: Competence) -> Optional[str]:
        if competence.verdict is Verdict.BASE and competence.base and competence.base.handler:
            return str(competence.base.handler)
        return competence.authority

    def authority_name(self, code: Optional[str], unit: Optional[str]) -> Optional[str]:
        """The authority as a citizen knows it: with the unit's name where it is a local one."""
        authority = self.catalogue.authorities.get(code or "")
        if authority is None:
            return None
        place = self._unit_of_level(authority, unit)
        if authority.local_name and place:
            return str(authority.local_name).format(unit=place[:1].lower() + place[1:])
        if authority.local_name and authority.level is Level.COMMUNE:
            return f"{authority.name} nơi bạn ở"
        return str(authority.name)

    def _unit_of_level(self, authority: Authority, code: Optional[str]) -> Optional[str]:
        """The unit's name, or that of its district where the authority was a district's."""
        unit = self.catalogue.places.units.get(code or "")
        if unit is not None and authority.level is Level.DISTRICT and unit.parent:
            unit = self.catalogue.places.units.get(unit.parent)
        return None if unit is None else str(unit.name)

    def _why(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        if competence.chain:
            return self._chain(competence, question)
        if competence.verdict is Verdict.UNKNOWN:
            return f"thẩm quyền ở thời điểm này {NOT_IN_DATA}."
        if competence.verdict is Verdict.ENDED:
            return (
                "cấp huyện đã kết thúc từ 1/7/2025, và dữ liệu không có văn bản nào đang hiệu lực giao việc này "
                "cho nơi khác."
            )
        held = [number for number in procedure.legal_basis if not self._has_ended(number, question.day)]
        laws = ", ".join(by_weight(held)[:3])
        if question.day < question.today:
            return "theo ghi nhận ở nguồn bên dưới."
        return f"thẩm quyền theo quy định của thủ tục (căn cứ {laws})." if laws else f"số văn bản căn cứ {NOT_IN_DATA}."

    def _chain(self, competence: Competence, question: Question) -> str:
        """The chain in two sentences: whose it was, and who handed it to whom, when, by which document."""
        base = self.catalogue.authorities.get(competence.base.authority) if competence.base else None
        giver = self.authority_name(base.code if base else None, None)
        gone = base is not None and base.level is Level.DISTRICT and question.day >= TWO_LEVEL_START
        before = f"Trước {day_text(TWO_LEVEL_START)}" if gone else "Theo quy định gốc"
        steps = "; rồi ".join(self._handed(row, question.unit) for row in competence.chain)
        return f"{before}, việc này thuộc {giver}. {steps[:1].upper()}{steps[1:]}."

    def _handed(self, row: Delegation, unit: Optional[str]) -> str:
        """ "từ 1/7/2025 đến hết 1/3/2027, Nghị định 120/2025/NĐ-CP (…) phân quyền cho UBND phường Bạch Mai" """
        decision = self.catalogue.decisions.get(row.decision)
        first = row.valid_from or (decision.valid_from if decision else None)
        last = row.valid_to or (decision.valid_to if decision else None)
        ends = [f"từ {day_text(first)}"] if first else []
        ends += [f"đến hết {day_text(last)}"] if last else []
        ends += [] if first else [f"(ngày bắt đầu {NOT_IN_DATA})"]
        title = f" ({decision.title})" if decision else ""
        taker = self.authority_name(row.to_authority, unit)
        return f"{' '.join(ends)}, {register.named(row.decision)}{title} {_KIND_WORDS[row.kind]} cho {taker}"

    def _last_day_notes(self, competence: Competence, day: date) -> list[str]:
        """What is noted of a document whose last day is asked about: it may end at an hour."""
        ending = [row for row in self._documents(competence) if row and row.valid_to == day and row.note]
        return [f"Lưu ý: {str(row.note).rstrip('.')}." for row in ending]

    def _step(self, row: Delegation, unit: Optional[str]) -> str:
        decision = self.catalogue.decisions.get(row.decision)
        until = f", đến hết {day_text(row.valid_to)}" if row.valid_to else ""
        since = f" từ {day_text(row.valid_from)}" if row.valid_from else f" (từ ngày nào {NOT_IN_DATA})"
        giver = self.authority_name(row.from_authority, None)
        taker = self.authority_name(row.to_authority, unit)
        title = f" ({decision.title})" if decision else ""
        return f"{row.decision}{title} {_KIND_WORDS[row.kind]} từ {giver} cho {taker}{since}{until}."

    def _submission(self, procedure: Procedure, competence: Competence, question: Question) -> list[str]:
        lines = []
        if self._is_under_city(competence):
            desk = self.catalogue.desk(question.unit, question.day)
            place = desk.name if desk else ANY_DESK
            address = f" ({desk.address})" if desk and desk.address else ""
            lines.append(
                f"• Nộp trực tiếp: {place}{address}; trong thành phố được nộp không theo địa giới "
                f"(Nghị định {ONE_STOP_DECREE})."
            )
        elif competence.verdict in (Verdict.BASE, Verdict.DELEGATED):
            lines.append("• Nộp trực tiếp: tại cơ quan giải quyết nêu trên.")
        if procedure.online_level not in (OnlineLevel.NONE, OnlineLevel.INFORMATION):
            lines.append(f"• Nộp trực tuyến (tài khoản VNeID mức 2): {self._page(procedure)}")
        else:
            lines.append(f"• Trang thủ tục: {self._page(procedure)}")
        return lines

    def _page(self, procedure: Procedure) -> str:
        return procedure.online_url or portal.search_link(str(procedure.name))

    def _documents_section(self, procedure: Procedure) -> str:
        guide = self.catalogue.guides.get(procedure.code)
        if guide and guide.documents:
            items = "\n".join(f"  – {item}" for item in guide.documents)
            return f"• Giấy tờ cần mang:\n{items}\n  Bản đầy đủ: {self._page(procedure)}"
        return f"• Giấy tờ: danh sách rút gọn {NOT_IN_DATA}; xem mục “Thành phần hồ sơ” tại {self._page(procedure)}"

    def _fee_section(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        guide = self.catalogue.guides.get(procedure.code)
        if guide and guide.fee:
            line = f"• Lệ phí: {guide.fee} (nguồn: {guide.source}, {day_text(guide.as_of)})."
        elif procedure.fee_vnd:
            amount = f"{procedure.fee_vnd:,}".replace(",", ".")
            line = f"• Phí, lệ phí: {amount} đồng theo Cổng; trường hợp miễn, giảm xem tại {self._page(procedure)}"
        else:
            line = f"• Lệ phí: mức cụ thể {NOT_IN_DATA}; xem mức phí trên trang thủ tục {self._page(procedure)}"
        support = self.catalogue.decisions.get(FEE_SUPPORT)
        if support and support.holds_on(question.day) and self._is_under_city(competence):
            line += (
                "\n• Nộp trực tuyến tại Hà Nội được hỗ trợ phí, lệ phí, nhiều khoản còn 0 đồng "
                f"(Nghị quyết {FEE_SUPPORT}; không gồm phí thẩm định, không áp dụng khi nộp trực tiếp)."
            )
        return line

    def _time_section(self, procedure: Procedure) -> str:
        time = time_text(procedure)
        if time is None:
            return f"• Thời hạn: {NOT_IN_DATA}; xem tại {self._page(procedure)}"
        return f"• Thời hạn giải quyết: {time}, tính từ khi nhận đủ hồ sơ hợp lệ."

    def _online_section(self, procedure: Procedure) -> str:
        line = f"• {_ONLINE_WORDS[procedure.online_level]}"
        if procedure.online_level is OnlineLevel.UNKNOWN:
            line += f" Mức toàn trình hay một phần {NOT_IN_DATA}."
        return f"{line}\n• Đăng nhập bằng VNeID mức 2 tại: {self._page(procedure)}"

    def _legal_section(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        lines = []
        if competence.chain and "delegation" not in question.facets:
            lines.append(f"• Vì sao nơi này giải quyết: {self._why(procedure, competence, question)}")
            lines += self._document_lines(competence)
        if procedure.legal_basis:
            gone = {number for number in procedure.legal_basis if self._has_ended(number, question.day)}
            numbers = (f"{n} (đã hết hiệu lực)" if n in gone else n for n in by_weight(procedure.legal_basis))
            lines.append(f"• Căn cứ pháp lý (theo Cổng): {', '.join(numbers)}.")
        else:
            lines.append(f"• Căn cứ pháp lý: {NOT_IN_DATA}; xem tại {self._page(procedure)}")
        return "\n".join(lines)

    def _delegation_section(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        lines = [f"• Nơi giải quyết: {self._handler(competence, question)}."]
        if competence.chain:
            lines.append(f"• Vì sao: {self._why(procedure, competence, question)}")
            lines += self._document_lines(competence)
            lines += [f"• {note}" for note in self._last_day_notes(competence, question.day)]
        elif competence.verdict in (Verdict.BASE, Verdict.UNKNOWN):
            lines.append("• Dữ liệu không ghi quyết định phân cấp, ủy quyền nào đang hiệu lực cho thủ tục này.")
            lines.append(f"• Vì sao: {self._why(procedure, competence, question)}")
            lines.append(f"• Xem tại: {self._page(procedure)}")
        else:
            lines.append(f"• Vì sao: {self._why(procedure, competence, question)}")
        return "\n".join(lines)

    def _has_ended(self, number: str, day: date) -> bool:
        """Whether the register says that a document does not hold any more; of most it says nothing."""
        known = self.catalogue.rules.decisions.get(number)
        return known is not None and known.valid_to is not None and known.valid_to < day

    def _documents(self, competence: Competence) -> list[Optional[Decision]]:
        """The document of each step of the chain; None: the register does not have it."""
        return [self.catalogue.decisions.get(row.decision) for row in competence.chain]

    def _document_lines(self, competence: Competence) -> list[str]:
        """Each document of the chain with its address; without one, where such documents are looked up."""
        lines = []
        for row, document in zip(competence.chain, self._documents(competence)):
            where = document.url if document and document.url else f"đường dẫn {NOT_IN_DATA}; tra tại {LEGAL_DATABASE}"
            lines.append(f"• {register.named(row.decision)}: {where}")
        return list(dict.fromkeys(lines))

    def _status_section(self) -> str:
        return (
            "• Mình không xem được hồ sơ của bạn. Tra cứu bằng mã hồ sơ (trên giấy hẹn) ở mục Tra cứu hồ sơ, "
            f"{portal.PORTAL}, hoặc gọi {HOTLINE}."
        )

    def _how_section(self, procedure: Procedure, competence: Competence, question: Question) -> str:
        guide = self.catalogue.guides.get(procedure.code)
        lines = [f"• {guide.summary}"] if guide else []
        documents = (
            "; ".join(guide.documents)
            if guide and guide.documents
            else f"xem mục “Thành phần hồ sơ” tại {self._page(procedure)}"
        )
        steps = [f"Chuẩn bị giấy tờ: {documents}."]
        if "office" in question.facets:
            steps.append("Nộp hồ sơ: xem nơi giải quyết và cách nộp bên dưới.")
        else:
            online = procedure.online_level not in (OnlineLevel.NONE, OnlineLevel.INFORMATION)
            page = f", hoặc trực tuyến (VNeID mức 2): {self._page(procedure)}" if online else ""
            steps.append(f"Nộp hồ sơ cho {self._handler(competence, question)}{page}")
        steps.append(f"Nhận kết quả: {time_text(procedure) or 'thời hạn ' + NOT_IN_DATA}.")
        return "\n".join([*lines, *(f"{number}. {step}" for number, step in enumerate(steps, 1))])

    def _wants_place(self, competence: Competence, question: Question) -> bool:
        """Whether the answer depends on the place: the office is asked for, and not every place has the same."""
        if not _PLACE_FACETS & set(question.facets):
            return False
        authority = self.catalogue.authorities.get(self._handler_code(competence) or "")
        local = authority is not None and bool(authority.local_name)
        return local or self.catalogue.rules.depends_on_place(question.procedure, question.day)

    def _is_under_city(self, competence: Competence) -> bool:
        authority = self.catalogue.authorities.get(self._handler_code(competence) or "")
        return authority is not None and authority.kind in _CITY_KINDS and authority.level is not Level.DISTRICT

    def _place_question(self, question: Question) -> str:
        names = ", ".join(self._unit_name(code) for code in question.unit_choices[:8])
        now = "nay" if question.day >= TWO_LEVEL_START else "lúc đó"
        return f"{question.place_name} {now} thuộc: {names}. Bạn ở đâu trong số này?"

    def _unit_name(self, code: str) -> str:
        unit = self.catalogue.places.units.get(code)
        return str(unit.name) if unit else code

    def _source_line(self, procedure: Procedure, competence: Competence) -> str:
        line = f"Nguồn: {procedure.source}, dữ liệu ngày {day_text(procedure.as_of)}"
        base = competence.base
        if base and base.source != procedure.source:
            line += f"; thẩm quyền: {_host(base.source)}, ngày {day_text(base.as_of)}"
        return line + "."

    def _payload(self, kind: str, procedure: Procedure, competence: Competence, question: Question) -> dict[str, Any]:
        unit = self.catalogue.places.units.get(question.unit or "")
        choices = question.unit_choices if kind == "place_needed" else ()
        return payload(
            kind,
            facet=question.facets[0],
            facets=list(question.facets),
            procedure={"code": procedure.code, "name": procedure.name},
            choices=[{"code": code, "name": self._unit_name(code)} for code in choices]
            or self._choices(question.runners_up),
            unit={"code": unit.code, "name": unit.name} if unit else None,
            office=self._office(competence, question),
            competence=self._competence_payload(competence, question),
            links=self._links(procedure, competence, question),
            sources=self._sources(procedure, competence),
            confidence=round(question.confidence, 3),
        )

    def _links(self, procedure: Procedure, competence: Competence, question: Question) -> list[dict[str, Any]]:
        """The procedure's page; where it is asked why, the documents of the chain too."""
        links = [{"title": "Trang thủ tục trên Cổng Dịch vụ công quốc gia", "url": self._page(procedure)}]
        if {"delegation", "legal"} & set(question.facets):
            known = filter(None, self._documents(competence))
            links += [{"title": register.full_name(row), "url": str(row.url)} for row in known if row.url]
        return links

    def _office(self, competence: Competence, question: Question) -> Optional[dict[str, Any]]:
        name = self.authority_name(self._handler_code(competence), question.unit)
        if name is None or not competence.authority or competence.verdict in (Verdict.ENDED, Verdict.CONTRADICTION):
            return None
        desk = self.catalogue.desk(question.unit, question.day) if self._is_under_city(competence) else None
        return {"name": name, **contact(desk)}

    def _competence_payload(self, competence: Competence, question: Question) -> dict[str, Any]:
        return {
            "authority": self.authority_name(competence.authority, question.unit),
            "chain": [
                {
                    "kind": row.kind.value,
                    "decision": row.decision,
                    "from": self.authority_name(row.from_authority, None),
                    "to": self.authority_name(row.to_authority, question.unit),
                    "valid_from": _iso(row.valid_from),
                    "valid_to": _iso(row.valid_to),
                }
                for row in competence.chain
            ],
            "as_of": _iso(question.day),
            "certain": competence.certain,
        }

    def _sources(self, procedure: Procedure, competence: Competence) -> list[dict[str, Any]]:
        sources = [{"title": procedure.source, "url": self._page(procedure), "as_of": _iso(procedure.as_of)}]
        base = competence.base
        if base and base.source != procedure.source:
            url = base.source if base.source.startswith("http") else None
            sources.append({"title": f"Thẩm quyền: {_host(base.source)}", "url": url, "as_of": _iso(base.as_of)})
        for row in competence.chain:
            decision = self.catalogue.decisions.get(row.decision)
            url = decision.url if decision else None
            sources.append({"title": row.decision, "url": url, "as_of": _iso(row.as_of)})
        return sources

    def _buttons(self, question: Question, must_choose: bool) -> tuple[Button, ...]:
        if must_choose:
            return tuple(
                Button(self._unit_name(code), f'/inform_place{{"unit": "{code}"}}')
                for code in question.unit_choices[:8]
            )
        if question.confidence >= SURE:
            return ()
        return tuple(choose_button(self.label(code), code) for code in question.runners_up[:3])

    def _choices(self, codes: Sequence[str]) -> list[dict[str, str]]:
        names = self.catalogue.procedures
        return [{"code": code, "name": names[code].name} for code in codes if code in names]

    # -- everything else ---------------------------------------------------------------------------

    def choices(self, codes: Sequence[str], facets: Sequence[str] = (), confidence: float = 0.5) -> Answer:
        """2 to 4 procedures to choose from, by tap, by number or by words."""
        lines = "\n".join(f"{i}. {self.label(code)}" for i, code in enumerate(codes, 1))
        text = f"Bạn muốn hỏi việc nào dưới đây? Bấm chọn, hoặc nhắn số thứ tự.\n{lines}"
        buttons = tuple(choose_button(self.label(code), code) for code in codes)
        data = payload(
            "choices",
            facet=facets[0] if facets else None,
            facets=list(facets),
            choices=self._choices(codes),
            confidence=round(confidence, 3),
        )
        return Answer(text, data, buttons)

    def no_record(self, name: str, keyword: str, confidence: float = 1.0) -> Answer:
        """A real procedure that the catalogue does not hold."""
        link = portal.search_link(keyword)
        text = (
            f"“{name}” là thủ tục có thật nhưng {NOT_IN_DATA} của mình, nên mình không dám nói nơi nộp hay lệ phí.\n"
            f"• Tìm trên Cổng Dịch vụ công quốc gia: {link}\n• Hoặc gọi {HOTLINE}."
        )
        links = [{"title": "Tìm trên Cổng Dịch vụ công quốc gia", "url": link}]
        return Answer(text, payload("no_record", links=links, confidence=round(confidence, 3)))

    def elsewhere(self, province: str) -> Answer:
        """The place is in another province: its authorities are not in this catalogue."""
        link = portal.PORTAL
        text = (
            f"Mình chỉ có dữ liệu của Hà Nội, chưa có của {province}. Bạn tra trên Cổng Dịch vụ công quốc gia ({link}) "
            "và chọn địa phương đó nhé."
        )
        return Answer(text, payload("no_record", links=[{"title": "Cổng Dịch vụ công quốc gia", "url": link}]))

    def noting_elsewhere(self, answer: Answer, province: str) -> Answer:
        """An answer to somebody who named another province besides: offices there are others."""
        note = f"Lưu ý: mình chỉ có dữ liệu của Hà Nội; ở {province}, nơi giải quyết và mức phí có thể khác."
        return replace(answer, text=f"{answer.text}\n{note}")

    def faq(self, answer: str, sources: Sequence[Mapping[str, Any]], confidence: float = 1.0) -> Answer:
        """An entry of the FAQ, with its sources."""
        named = "; ".join(
            f"{source['title']} ({day_text(date.fromisoformat(str(source['as_of'])))})" for source in sources
        )
        links = [{"title": source["title"], "url": source["url"]} for source in sources if source.get("url")]
        data = payload("faq", links=links, sources=list(sources), confidence=round(confidence, 3))
        return Answer(f"{answer}\nNguồn: {named}." if named else answer, data)

    def decisions(self, written: str, numbers: Sequence[str], day: date) -> Answer:
        """What the register knows of a document that was named ("Quyết định 4610 còn hiệu lực không?")."""
        found = [self.catalogue.decisions[number] for number in numbers[:MOST_DECISIONS]]
        if not found:
            text = (
                f"“{written}” {NOT_IN_DATA} của mình, nên mình không dám nói văn bản này còn hiệu lực hay không.\n"
                f"• Bạn tra trên Cơ sở dữ liệu quốc gia về văn bản pháp luật: {LEGAL_DATABASE}\n• Hoặc gọi {HOTLINE}."
            )
            return Answer(text, payload("no_record", links=[{"title": "Văn bản pháp luật", "url": LEGAL_DATABASE}]))
        sources = [{"title": row.number, "url": row.url, "as_of": _iso(row.as_of)} for row in found]
        links = [{"title": register.full_name(row), "url": row.url} for row in found if row.url]
        text = "\n\n".join(self._decision(row, day) for row in found)
        return Answer(text, payload("general", facet="legal", facets=["legal"], links=links, sources=sources))

    def _decision(self, decision: Decision, day: date) -> str:
        issued = f" ngày {day_text(decision.issued_on)}" if decision.issued_on else ""
        lines = [f"{register.full_name(decision)}{issued} của {decision.issuer}: {decision.title}."]
        decision = self.catalogue.rules.decisions.get(decision.number, decision)
        holds = register.is_in_force(decision, day)
        verdict = {None: f"ngày hiệu lực {NOT_IN_DATA}", True: "còn hiệu lực", False: "không còn hiệu lực"}[holds]
        if decision.valid_from and decision.valid_from > day:
            verdict = "chưa có hiệu lực"
        start = f"từ {day_text(decision.valid_from)}" if decision.valid_from else ""
        end = f"đến hết {day_text(decision.valid_to)}" if decision.valid_to else ""
        span = f" (có hiệu lực {' '.join(filter(None, (start, end)))})" if start or end else ""
        lines.append(f"• Tính ngày {day_text(day)}: {verdict}{span}.")
        if decision.replaced_by:
            heir = self.catalogue.decisions.get(decision.replaced_by)
            link = _at(heir.url) if heir else ""
            lines.append(f"• Được thay bằng {register.named(decision.replaced_by)}.{link}")
        elif holds is False and verdict != "chưa có hiệu lực":
            lines.append(f"• Văn bản thay thế: số {NOT_IN_DATA}.")
        replaced = ", ".join(
            register.full_name(row) for row in register.replaces(decision, self.catalogue.decisions.values())
        )
        if replaced:
            lines.append(f"• Thay cho {replaced}.")
        if decision.note:
            lines.append(f"• Ghi chú: {str(decision.note).rstrip('.')}.")
        every = (row for rows in self.catalogue.rules.delegations.values() for row in rows)
        resting = len({row.procedure for row in register.resting_on(decision, every)})
        if resting:
            lines.append(f"• Trong danh mục của mình, {resting} thủ tục được giao theo văn bản này.")
        lines.append(f"Nguồn: {_host(decision.source)}, ngày {day_text(decision.as_of)}." + _at(decision.url))
        return "\n".join(lines)

    def handoff(self) -> Answer:
        centre = self.catalogue.service_points.get(CITY_CENTRE)
        where = f"\n• Đến trực tiếp: {centre.name}, {centre.address}." if centre and centre.address else ""
        source = f"\nNguồn: {centre.source}, ngày {day_text(centre.as_of)}." if centre else ""
        text = f"Bạn gặp người thật theo các cách này nhé:\n• Gọi {HOTLINE}.\n• Ứng dụng iHanoi.{where}{source}"
        office = {"name": centre.name, **contact(centre)} if centre else None
        return Answer(text, payload("handoff", office=office))


def contact(point: Optional[ServicePoint]) -> dict[str, Any]:
    """Address, phone, hours and map of a desk; each None where it is not known."""
    if point is None:
        return {"address": None, "phone": None, "hours": None, "map_url": None}
    known = point.lat is not None and point.lon is not None
    return {
        "address": point.address,
        "phone": point.phones[0] if point.phones else None,
        "hours": point.hours,
        "map_url": f"https://www.openstreetmap.org/?mlat={point.lat}&mlon={point.lon}&zoom=17" if known else None,
    }


def by_weight(numbers: Sequence[str]) -> list[str]:
    """Legal documents, laws first, then decrees, then the rest; within each the newest first."""

    def weight(number: str) -> tuple[int, int]:
        year = next((int(part) for part in number.split("/") if len(part) == 4 and part.isdigit()), 0)
        rank = 0 if "QH" in number else 1 if "NĐ-CP" in number else 2
        return rank, -year

    return sorted(numbers, key=weight)


def choose_button(title: str, code: str) -> Button:
    return Button(title, f'/choose{{"procedure": "{code}"}}')


def time_text(procedure: Procedure) -> Optional[str]:
    """ "3–10 ngày làm việc tùy trường hợp"; None where it is not known."""
    if procedure.time_value is None or procedure.time_unit is None:
        return None
    unit = _TIME_WORDS[procedure.time_unit]
    shortest = f"{procedure.time_value.normalize():f}"
    if procedure.time_max is None:
        return f"{shortest} {unit}"
    return f"{shortest}–{procedure.time_max.normalize():f} {unit} tùy trường hợp"


def day_text(day: Optional[date]) -> str:
    return f"{day.day}/{day.month}/{day.year}" if day else "không rõ ngày"


def _host(source: str) -> str:
    """A source in words: an address is named by its site."""
    return urlsplit(source).netloc.removeprefix("www.") if source.startswith("http") else source


def _at(url: Optional[str]) -> str:
    return f" {url}" if url else ""


def _iso(day: Optional[date]) -> Optional[str]:
    return day.isoformat() if day else None
