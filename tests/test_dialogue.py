"""Conversations as pure functions: what was understood comes in, answers and the next state come out."""

from __future__ import annotations

import pytest

from bot import phrasebook
from bot.catalogue.answers import Writer
from bot.catalogue.places import NOWHERE, Found, Mention
from bot.catalogue.store import Catalogue
from bot.dialogue import Guide, State
from bot.understanding import Understanding
from tests.conftest import TODAY

BIRTH, AGAIN, MARRIAGE = "1.001193", "1.004884", "1.000894"


@pytest.fixture(scope="module")
def guide(catalogue: Catalogue) -> Guide:
    book = phrasebook.load()
    return Guide(Writer(catalogue, book.short_names), book, TODAY)


def place(guide: Guide, text: str) -> Mention:
    return guide.writer.catalogue.places.find(text, TODAY)


def about(code: str, *facets: str) -> Understanding:
    return Understanding("ask_office", "procedure", topic=code, facets=facets or ("office",), ranking=((code, 0.9),))


OFFER = Understanding(
    "ask_how", "choices", choices=(BIRTH, AGAIN), facets=("fee",), ranking=((AGAIN, 0.4), (BIRTH, 0.1))
)


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
    assert guide.turn(OFFER, NOWHERE, offered.state).answer.payload["procedure"]["code"] == AGAIN


def test_a_number_out_of_range_changes_nothing(guide: Guide) -> None:
    offered = guide.turn(OFFER, NOWHERE, State())
    wrong = guide.turn(Understanding("choose", "choose", ordinal=7), NOWHERE, offered.state)
    assert wrong.answer.payload["procedure"] is None and wrong.state == offered.state


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
