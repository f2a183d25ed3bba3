"""Conversations as pure functions: what was understood comes in, answers and the next state come out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot import phrasebook
from bot.catalogue.answers import Writer
from bot.catalogue.places import NOWHERE, Found, Mention
from bot.catalogue.store import Catalogue
from bot.dialogue import Guide, State
from bot.understanding import Understanding
from tests.conftest import TODAY

BIRTH, AGAIN, MARRIAGE = "1.001193", "1.004884", "1.000894"
SHOP_PAUSES, SHOP_ENDS, FIRM_PAUSES, FIRM_ENDS = "1.001570", "1.001266", "2.002029", "2.002023"
CARD, CARD_OF_CHILD, CARD_CHANGED = "1.014061", "1.014062", "1.014063"


@pytest.fixture(scope="module")
def guide(catalogue: Catalogue) -> Guide:
    book = phrasebook.load()
    return Guide(Writer(catalogue, book.short_names), book, TODAY)


def place(guide: Guide, text: str) -> Mention:
    return guide.writer.catalogue.places.find(text, TODAY)


def about(code: str, *facets: str) -> Understanding:
    return Understanding(
        "ask_office", "procedure", code, facets=facets or ("office",), confidence=0.9, ranking=((code, 0.9),)
    )


OFFER = Understanding(
    "ask_how", "choices", choices=(BIRTH, AGAIN), facets=("fee",), confidence=0.4, content=("khai", "sinh"),
    ranking=((AGAIN, 0.4), (BIRTH, 0.1)),
)  # fmt: skip


def test_follow_ups_keep_the_procedure_and_the_place(guide: Guide) -> None:
    first = guide.turn(about(BIRTH), place(guide, "ở phường Bạch Mai"), State())
    second = guide.turn(Understanding("ask_fee", "follow_up", facets=("fee",)), NOWHERE, first.state)
    payload = second.answer.payload
    assert (payload["procedure"]["code"], payload["facet"], payload["unit"]["name"]) == (
        BIRTH,
        "fee",
        "Phường Bạch Mai",
    )


def test_a_follow_up_to_nothing_asks_which_procedure_and_remembers_the_facet(guide: Guide) -> None:
    first = guide.turn(Understanding("ask_fee", "follow_up", facets=("fee",)), NOWHERE, State())
    assert first.answer.payload["procedure"] is None
    assert first.state.facets == ("fee",)


@pytest.mark.parametrize(("number", "code"), [(1, BIRTH), (2, AGAIN), (-1, AGAIN)])
def test_choosing_by_number_answers_what_was_asked(guide: Guide, number: int, code: str) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    assert offered.answer.payload["kind"] == "choices"
    chosen = guide.turn(Understanding("choose", "choose", ordinal=number), NOWHERE, offered.state)
    assert (chosen.answer.payload["procedure"]["code"], chosen.answer.payload["facet"]) == (code, "fee")
    assert chosen.state.choices == ()


def test_choosing_by_words(guide: Guide) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    told = replace(OFFER, content=("mất", "sổ"))
    assert guide.turn(told, NOWHERE, offered.state).answer.payload["procedure"]["code"] == AGAIN


def test_a_number_out_of_range_changes_nothing(guide: Guide) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    wrong = guide.turn(Understanding("choose", "choose", ordinal=7), NOWHERE, offered.state)
    assert wrong.answer.payload["procedure"] is None and wrong.state == offered.state


def of_vague(choices: tuple[str, ...], content: str, **parts: Any) -> Understanding:
    """Choices that staff wrote for such words."""
    said = tuple(content.split())
    return Understanding("ask_how", "choices", choices=choices, confidence=0.95, content=said, is_vague=True, **parts)


PAUSE = of_vague((SHOP_PAUSES, SHOP_ENDS, FIRM_PAUSES, FIRM_ENDS), "tạm ngừng kinh doanh")
SHOPS = of_vague(("1.001612", "2.000720", SHOP_PAUSES, SHOP_ENDS), "hộ kinh doanh")


def test_what_was_said_before_decides_between_offers_with_the_words_said_now(guide: Guide) -> None:
    offered = guide.turn(PAUSE, NOWHERE, State())
    chosen = guide.turn(SHOPS, NOWHERE, offered.state)
    assert chosen.answer.payload["procedure"]["code"] == SHOP_PAUSES


def test_a_place_told_keeps_the_offer(guide: Guide) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    told = guide.turn(Understanding("inform_place", "place"), place(guide, "phường Láng"), offered.state)
    assert told.answer.payload["kind"] == "choices"
    chosen = guide.turn(Understanding("choose", "choose", ordinal=1), NOWHERE, told.state)
    assert (chosen.answer.payload["procedure"]["code"], chosen.answer.payload["unit"]["name"]) == (BIRTH, "Phường Láng")


def test_who_asks_on_is_answered_about_the_first_and_may_still_choose(guide: Guide) -> None:
    before = guide.turn(about(MARRIAGE), NOWHERE, State())
    offered = guide.turn(OFFER, NOWHERE, before.state)
    asked = guide.turn(Understanding("ask_time", "follow_up", facets=("time",)), NOWHERE, offered.state)
    assert (asked.answer.payload["procedure"]["code"], asked.answer.payload["facet"]) == (BIRTH, "time")
    assert [button.payload for button in asked.answer.buttons] == [f'/choose{{"procedure": "{AGAIN}"}}']
    chosen = guide.turn(Understanding("choose", "choose", ordinal=2), NOWHERE, asked.state)
    assert (chosen.answer.payload["procedure"]["code"], chosen.answer.payload["facet"]) == (AGAIN, "time")


@pytest.mark.parametrize(("intent", "kept"), [("thanks", True), ("deny", False)])
def test_an_aside_keeps_the_offer(guide: Guide, intent: str, kept: bool) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    assert bool(guide.turn(Understanding(intent, "smalltalk"), NOWHERE, offered.state).state.choices) is kept


def test_a_correction_keeps_what_was_asked_and_what_was_not_corrected(guide: Guide) -> None:
    state = guide.turn(about(FIRM_PAUSES, "documents"), NOWHERE, State()).state
    turn = guide.turn(replace(SHOPS, corrects=True), NOWHERE, state)
    assert (turn.answer.payload["procedure"]["code"], turn.answer.payload["facet"]) == (SHOP_PAUSES, "documents")


def test_a_correction_taken_for_small_talk(guide: Guide) -> None:
    state = guide.turn(about(CARD_OF_CHILD), NOWHERE, State()).state
    slip = Understanding("out_of_scope", "smalltalk", confidence=0.9, content=("15", "tuổi"), corrects=True)
    assert guide.turn(slip, NOWHERE, state).answer.payload["procedure"]["code"] == CARD
    refused = guide.turn(replace(slip, intent="deny"), NOWHERE, state)
    assert refused.answer.payload["procedure"] is None


def test_a_correction_that_fits_a_family_means_the_one_of_it_beside(guide: Guide) -> None:
    state = guide.turn(about("1.014064"), NOWHERE, State()).state
    expired = of_vague((CARD_CHANGED, "3.000347", "1.001456"), "hạn")
    assert guide.turn(replace(expired, corrects=True), NOWHERE, state).answer.payload["kind"] == "procedure"
    assert guide.turn(expired, NOWHERE, state).answer.payload["kind"] == "choices"


ELLIPSIS = Understanding(
    "ask_how", "procedure", topic="1.004859", confidence=0.5, content=("đổi", "thẻ", "bố", "mẹ"),
    ranking=(("1.004859", 0.5), (CARD_CHANGED, 0.14)),
)  # fmt: skip


def test_what_is_left_out_is_what_was_talked_about(guide: Guide) -> None:
    state = guide.turn(about(CARD_OF_CHILD), NOWHERE, State()).state
    assert guide.turn(ELLIPSIS, NOWHERE, state).answer.payload["procedure"]["code"] == CARD_CHANGED
    elsewhere = guide.turn(about(MARRIAGE), NOWHERE, State()).state
    assert guide.turn(ELLIPSIS, NOWHERE, elsewhere).answer.payload["procedure"]["code"] == "1.004859"


@pytest.mark.parametrize("change", [{"confidence": 0.9}, {"content": ("thay", "đổi", "hộ", "tịch")}])
def test_a_message_that_names_its_procedure_leaves_nothing_out(guide: Guide, change: dict[str, Any]) -> None:
    state = guide.turn(about(CARD_OF_CHILD), NOWHERE, State()).state
    assert guide.turn(replace(ELLIPSIS, **change), NOWHERE, state).answer.payload["procedure"]["code"] == "1.004859"


def test_the_same_is_asked_about_another_procedure(guide: Guide) -> None:
    state = guide.turn(about(BIRTH, "fee"), NOWHERE, State()).state
    same = Understanding("ask_how", "procedure", topic=MARRIAGE, confidence=0.9, content=("kết", "hôn"), again=True)
    assert guide.turn(same, NOWHERE, state).answer.payload["facet"] == "fee"


@pytest.mark.parametrize(
    ("kind", "confidence", "content"),
    [("faq", 0.5, ("ai", "thay")), ("not_understood", 0.0, ("chỗ", "cũ")), ("choices", 0.2, ("sổ",))],
)
def test_few_words_that_fit_no_topic_are_about_what_is_talked_about(
    guide: Guide, kind: str, confidence: float, content: tuple[str, ...]
) -> None:
    state = guide.turn(about(BIRTH), NOWHERE, State()).state
    found = Understanding("ask_documents", kind, facets=("documents",), confidence=confidence, content=content)
    turn = guide.turn(found, NOWHERE, state)
    assert (turn.answer.payload["procedure"]["code"], turn.answer.payload["facet"]) == (BIRTH, "documents")


def test_a_new_procedure_ends_the_choice(guide: Guide) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    other = guide.turn(about(MARRIAGE), NOWHERE, offered.state)
    assert other.state.procedure == MARRIAGE and other.state.choices == ()


def test_the_place_can_be_given_later(guide: Guide) -> None:
    first = guide.turn(about(BIRTH), NOWHERE, State())
    assert first.answer.payload["unit"] is None
    told = guide.turn(Understanding("inform_place", "place"), place(guide, "phường Láng"), first.state)
    assert told.answer.payload["office"]["name"] == "UBND phường Láng"


def test_a_split_ward_is_chosen_by_name_number_or_tap(guide: Guide) -> None:
    split = place(guide, "phường Ngọc Hà, quận Ba Đình cũ")
    first = guide.turn(about(BIRTH), split, State())
    assert first.answer.payload["kind"] == "place_needed"
    named = guide.turn(Understanding("inform_place", "place"), place(guide, "Ba Đình"), first.state)
    numbered = guide.turn(Understanding("choose", "choose", ordinal=1), NOWHERE, first.state)
    tapped = guide.placed(split.units[0], first.state)
    for turn in (named, numbered, tapped):
        assert turn.answer.payload["unit"]["name"] == "Phường Ba Đình"


def test_another_province_is_not_answered_with_hanoi(guide: Guide) -> None:
    turn = guide.turn(about(BIRTH), Mention(Found.ELSEWHERE, name="Nam Định"), State())
    assert turn.answer.payload["kind"] == "no_record" and turn.answer.payload["procedure"] is None


def test_papers_are_the_same_in_another_province_and_that_is_said(guide: Guide) -> None:
    turn = guide.turn(about(BIRTH, "documents"), Mention(Found.ELSEWHERE, name="Nam Định"), State())
    assert turn.answer.payload["procedure"]["code"] == BIRTH and turn.answer.text.count("Nam Định") == 1


def test_who_names_another_province_aside_is_answered_and_told(guide: Guide) -> None:
    turn = guide.turn(about(BIRTH, "office"), Mention(Found.ELSEWHERE, name="Nam Định", aside=True), State())
    assert turn.answer.payload["procedure"]["code"] == BIRTH and turn.answer.text.count("Nam Định") == 1


def test_made_up_payloads_do_no_harm(guide: Guide) -> None:
    assert guide.chosen("9.999999", State()).answer.payload["procedure"] is None
    assert guide.placed("<script>", State()).state.unit is None


def test_switching_and_coming_back(guide: Guide) -> None:
    state = guide.turn(about(BIRTH), NOWHERE, State()).state
    state = guide.turn(about(MARRIAGE), NOWHERE, state).state
    state = guide.turn(Understanding("thanks", "smalltalk"), NOWHERE, state).state
    back = guide.turn(about(BIRTH, "time"), NOWHERE, state)
    assert back.answer.payload["procedure"]["code"] == BIRTH


def test_every_reply_a_rule_can_lead_to_is_written(guide: Guide) -> None:
    for intent in ("greet", "goodbye", "thanks", "affirm", "deny", "bot_challenge", "help", "abuse", "praise"):
        assert guide.reply(intent, "smalltalk").text != guide.book.replies["default"]
