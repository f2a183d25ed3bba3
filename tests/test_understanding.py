from __future__ import annotations

import pytest

from bot import phrasebook
from bot.catalogue.search import Match
from bot.phrasebook import Phrasebook
from bot.understanding import Facets, Listener, Says, Understanding, decide, meant_facets, ordinal


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    return phrasebook.load()


@pytest.fixture(scope="module")
def facets(book: Phrasebook) -> Facets:
    return Facets(book.cues, book.abbreviations)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Đăng ký thường trú nộp ở đâu?", ("office",)),
        ("the le phi bao nhieu", ("fee",)),
        ("cần giấy gì và mất bao lâu", ("documents", "time")),
        ("lm gks cho con mất bn tiền", ("fee",)),
        ("Tôi bị mất sổ đỏ. Làm lại bao lâu thì xong?", ("time",)),
        ("giấy an toàn thực phẩm bây giờ Sở cấp hay đã phân cấp về xã?", ("delegation",)),
        ("tôi bị mất giấy khai sinh", ()),
        ("cháu làm việc này ở phường hay sở", ("office", "delegation")),
    ],
)
def test_facets_are_found_by_their_cues(facets: Facets, text: str, found: tuple[str, ...]) -> None:
    assert facets.find(text) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("số 1", 1), ("cái thứ hai nhé", 2), ("chọn cái đầu tiên", 1), ("cuối cùng", -1), ("cai thu 3", 3)],
)
def test_a_bare_number_is_a_choice(text: str, number: int) -> None:
    assert ordinal(text) == number


@pytest.mark.parametrize("text", ["2 vợ chồng đăng ký kết hôn", "số nhà", "một cửa", ""])
def test_more_than_a_number_is_not(text: str) -> None:
    assert ordinal(text) is None


def understand(
    book: Phrasebook, *matches: tuple[str, float], facets: tuple[str, ...] = ("fee",), intent: str = "ask_fee"
) -> Understanding:
    says = Says(facets=facets, meant=facets, content=("khai", "sinh"))
    return decide([Match(topic, share) for topic, share in matches], intent, says, book)


def test_a_sure_procedure_is_asserted_with_its_runners_up(book: Phrasebook) -> None:
    found = understand(book, ("procedure:1.001193", 0.8), ("procedure:1.004884", 0.15))
    assert (found.kind, found.intent, found.topic, found.choices) == ("procedure", "ask_fee", "1.001193", ("1.004884",))


@pytest.mark.parametrize("facets", [(), ("how",)])
def test_doubt_between_procedures_gives_choices(book: Phrasebook, facets: tuple[str, ...]) -> None:
    matches = ("procedure:1.001193", 0.365), ("procedure:1.004884", 0.36), ("procedure:1.000894", 0.01)
    found = understand(book, *matches, facets=facets)
    assert (found.kind, found.topic, found.choices) == ("choices", None, ("1.001193", "1.004884"))


def test_who_asks_something_in_particular_has_a_procedure_in_mind(book: Phrasebook) -> None:
    close = ("procedure:1.001193", 0.365), ("procedure:1.004884", 0.36)
    asked = understand(book, *close, facets=("fee",))
    assert (asked.kind, asked.topic, asked.choices) == ("procedure", "1.001193", ("1.004884",))
    vague = ("procedure:1.001193", 0.4), ("vague:0", 0.5)
    assert understand(book, *vague, facets=("fee",)).kind == "procedure"
    named = understand(book, *reversed(vague), facets=())
    assert named.kind == "choices" and named.is_vague


def test_a_question_is_refused_only_where_that_is_likelier_than_not(book: Phrasebook) -> None:
    matches = ("none:out_of_scope", 0.45), ("procedure:1.001193", 0.4)
    assert understand(book, *matches, facets=("fee",)).topic == "1.001193"
    assert understand(book, *matches, facets=()).kind == "out_of_scope"


def test_no_topic_is_no_procedure(book: Phrasebook) -> None:
    assert understand(book, ("none:out_of_scope", 0.6), ("procedure:1.001193", 0.3)).kind == "out_of_scope"
    assert understand(book, ("none:small_talk", 0.9), intent="greet").intent == "greet"
    followed = understand(book, ("none:follow_up", 0.9))
    assert (followed.kind, followed.intent) == ("follow_up", "ask_fee")


def test_where_nothing_fits_nothing_is_presented(book: Phrasebook) -> None:
    found = understand(book, ("procedure:1.001193", 0.08), ("procedure:1.004884", 0.02))
    assert (found.kind, found.intent, found.choices) == ("not_understood", "out_of_scope", ())


def test_a_faint_faq_gives_way_to_a_procedure(book: Phrasebook) -> None:
    found = understand(book, ("faq:theo-doi-ho-so", 0.2), ("procedure:1.001193", 0.6))
    assert (found.kind, found.topic) == ("procedure", "1.001193")


def test_a_vague_question_offers_what_staff_wrote(book: Phrasebook) -> None:
    found = understand(book, ("vague:0", 0.995), ("procedure:1.001193", 0.005))
    assert found.kind == "choices" and found.choices == tuple(book.vague[0].choices)
    doubtful = understand(book, ("vague:0", 0.9), ("procedure:1.001193", 0.1))
    assert doubtful.choices == (*book.vague[0].choices, "1.001193")


def test_what_several_likely_families_offer_comes_first(book: Phrasebook) -> None:
    one = book.vague[0]
    number, other = next(
        (number, family)
        for number, family in enumerate(book.vague)
        if set(family.choices) & set(one.choices) and set(family.choices) - set(one.choices)
    )
    found = understand(book, ("vague:0", 0.5), (f"vague:{number}", 0.45))
    shared = set(one.choices) & set(other.choices)
    assert set(found.choices[: len(shared)]) == shared


def test_a_vague_message_of_cue_words_alone_is_no_follow_up(book: Phrasebook) -> None:
    says = Says(facets=("documents",), meant=("documents",))
    assert decide([Match("vague:0", 0.99)], "ask_documents", says, book).kind == "choices"
    assert decide([Match("vague:0", 0.4)], "ask_documents", says, book).kind == "follow_up"


@pytest.mark.parametrize(
    ("cues", "ranking", "meant"),
    [
        (("office",), [("ask_status", 0.6)], ("office",)),
        (("office",), [("ask_status", 0.99)], ("office", "status")),
        ((), [("ask_time", 0.9)], ("time",)),
        ((), [("ask_time", 0.2)], ()),
        ((), [("out_of_scope", 1.0)], ()),
        ((), [], ()),
    ],
)
def test_the_classifier_is_heard_where_there_is_no_cue(
    cues: tuple[str, ...], ranking: list[tuple[str, float]], meant: tuple[str, ...]
) -> None:
    assert meant_facets(cues, ranking) == meant


@pytest.mark.parametrize(
    ("rest", "place", "day"),
    [
        ("còn ở  thì sao", True, False),
        ("hồi  thì sao", False, True),
        ("thế  thì nộp ở đâu", False, True),
        ("vì sao lại là công an", False, False),
        ("tai sao phai ra xa", False, False),
        ("sao lại phải nộp ở phường", False, False),
    ],
)
def test_what_says_nothing_new_is_about_what_was_talked_about(
    book: Phrasebook, rest: str, place: bool, day: bool
) -> None:
    says = Listener(book).hear(rest, rest, place, day, [])
    assert says.content == ()
    matches = [Match("procedure:1.001193", 0.3), Match("none:out_of_scope", 0.6)]
    assert decide(matches, "out_of_scope", says, book).kind in ("follow_up", "place")


def hear(book: Phrasebook, text: str) -> Says:
    return Listener(book).hear(text, Listener(book).meant(text), False, False, [("ask_how", 0.9)])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("không phải công ty, là hộ kinh doanh", "là hộ kinh doanh"),
        ("khong phai xay moi ma la sua nha", "la sua nha"),
        ("bị mất luôn rồi chứ không phải hết hạn", "bị mất luôn rồi"),
        ("à không, tạm trú cơ", "tạm trú"),
        ("xe có động cơ", "xe có động cơ"),
        ("không phải thế", "không phải thế"),
        ("ko phải mấy cái này", "ko phải mấy cái này"),
        ("không có giấy chứng sinh, làm khai sinh thế nào", "không có giấy chứng sinh, làm khai sinh thế nào"),
        ("chuyển mục đích đất không phải xin phép", "chuyển mục đích đất không phải xin phép"),
    ],
)
def test_what_is_denied_is_not_meant(book: Phrasebook, text: str, meant: str) -> None:
    assert Listener(book).meant(text) == meant


@pytest.mark.parametrize("text", ["à nhầm, cháu 15 tuổi rồi", "ý tôi là tạm trú", "nhầm rồi, xe cũ", "không, xe cũ cơ"])
def test_a_correction_is_heard(book: Phrasebook, text: str) -> None:
    assert hear(book, text).corrects


@pytest.mark.parametrize("text", ["giấy khai sinh ghi nhầm tên", "đất không phải xin phép", "không có hộ khẩu"])
def test_a_slip_in_a_paper_is_no_correction(book: Phrasebook, text: str) -> None:
    assert not hear(book, text).corrects


def test_the_same_is_asked_about_something_else(book: Phrasebook) -> None:
    says = hear(book, "còn chứng thực chữ ký thì sao")
    assert (says.again, says.meant, says.content) == (True, (), ("chứng", "thực", "chữ", "ký"))


def test_back_to_the_beginning_is_back_to_nothing(book: Phrasebook) -> None:
    says = hear(book, "quay lại từ đầu")
    assert says.back
    assert decide([Match("none:small_talk", 0.99)], "start_over", says, book).intent == "start_over"
    assert decide([Match("none:small_talk", 0.4)], "thanks", says, book).kind == "follow_up"


def test_choices_that_staff_wrote_are_told_from_doubt(book: Phrasebook) -> None:
    assert understand(book, ("vague:0", 0.5), ("procedure:1.001193", 0.1)).is_vague
    assert not understand(book, ("procedure:1.001193", 0.2), ("procedure:1.004884", 0.19)).is_vague


def test_words_that_name_another_matter_are_not_passed_over(book: Phrasebook) -> None:
    says = Listener(book).hear("vì sao đăng ký xe", "vì sao đăng ký xe", False, False, [])
    assert "xe" in says.content


@pytest.mark.parametrize(
    ("text", "facets"),
    [
        ("phí cấp chứng chỉ môi giới nhà đất", ("fee",)),
        ("sinh viên ở trọ khai tạm trú, giấy tờ?", ("documents",)),
        ("mất giấy tờ nhà đất", ()),
    ],
)
def test_a_thing_that_is_named_first_or_by_itself_is_asked_for(
    book: Phrasebook, text: str, facets: tuple[str, ...]
) -> None:
    assert Listener(book).hear(text, text, False, False, []).facets == facets


def test_who_came_back_in_a_story_refers_to_nothing_said_before(book: Phrasebook) -> None:
    told = "Con tôi bốn tuổi, giấy khai sinh bỏ trống tên cha, nay anh ấy quay lại muốn đứng tên bố cho cháu thì làm gì"
    assert not Listener(book).hear(told, told, False, False, []).back
    assert Listener(book).hear("quay lại cái khai sinh", "quay lại cái khai sinh", False, False, []).back
