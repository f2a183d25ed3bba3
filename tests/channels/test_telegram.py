"""Telegram over real HTTP: the whole bot beside a stand-in Bot API, asked, misused, cut off and restarted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import httpx
import pytest

from bot.channels.telegram import LARGEST_BODY
from bot.channels.telegram_desk import AGREE, DECLINE
from bot.channels.telegram_texts import LONGEST_QUESTION
from tests.channels.bot_api import BotApi, Chat, Message
from tests.channels.telegram_server import PATH, SECRET, TOKEN, TelegramServer, ask, introduced
from tests.channels.web_server import BROKEN

OFFICE = "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?"
VAGUE = "làm giấy tờ xe"
BACH_MAI = (21.0022, 105.852)
EXPECTED = ("Đăng ký thường trú – Phường Bạch Mai", 'Ví dụ: "lam giay', "Đăng ký kết hôn – Phường Láng")
"""Of the three answers that a restart is to let through."""
LIMIT = 512 * 1024
"""Bytes of a request that the web server reads at all."""


# A server's start is what takes time. What has nothing to do with how updates come in is tested while polling only; the
# tests of the webhook alone stand last, so that each of the two is started once.
BOTH = pytest.mark.parametrize("server", ["polling", "webhook"], indirect=True)
WEBHOOK_ONLY = pytest.mark.parametrize("server", ["webhook"], indirect=True)


@pytest.fixture(scope="module", params=["polling"])
def server(request: pytest.FixtureRequest, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp(request.param) / "home"
    with BotApi(TOKEN) as api, TelegramServer(home, model.parent, api, webhook=request.param == "webhook") as running:
        yield running
        log = running.stop() if running.is_running else running.log
        assert api.violations == []
        assert not [secret for secret in (TOKEN, "TEST-token", SECRET) if secret in log]


@pytest.fixture
def api(server: TelegramServer) -> BotApi:
    return server.api


@pytest.fixture
def chat(api: BotApi) -> Chat:
    return introduced(api)


def text_of(messages: list[Message]) -> str:
    return "\n".join(message.text for message in messages)


# -- a whole conversation ------------------------------------------------------------------------------------------


@BOTH
def test_from_the_first_message_to_the_map(server: TelegramServer, api: BotApi) -> None:
    chat = api.private()
    chat.says(VAGUE)
    notice, choices = chat.wait_for_reply(2, settle=0.3)
    assert "máy" in notice.text and "không phải quyết định" in notice.text and "90 ngày" in notice.text
    assert [button["callback_data"] for button in notice.buttons] == [AGREE, DECLINE]
    assert 2 <= len(choices.buttons) <= 4 and choices.titles[1].startswith("2. ")

    tap = chat.taps(choices, 1)
    [answer] = chat.wait_for_reply()
    assert choices.titles[1][3:20] in answer.text
    assert any(entity["type"] == "bold" for entity in answer.entities)
    assert any(button["url"].startswith("https://") for button in answer.buttons)
    assert api.answer_to(tap) is not None
    server.wait_until_all_is_answered()
    marked = chat.now(choices).titles
    assert [title.startswith("✓ ") for title in marked] == [number == 1 for number in range(len(marked))]

    [office] = ask(chat, OFFICE)
    assert "phường Bạch Mai" in office.text and "Nơi giải quyết" in office.text
    [fee] = ask(chat, "thế lệ phí bao nhiêu?")
    assert "thường trú" in fee.text and "phí" in fee.text and "Nơi giải quyết" not in fee.text

    chat.shares_location(21.0338, 105.8144)
    near, pin, there = chat.wait_for_reply(3)
    assert pin.venue is not None and abs(pin.venue["location"]["latitude"] - 21.03) < 0.03
    ward = re.search(r"phường [^\s]+ [^\s]+", near.text)
    assert ward and ward[0] in pin.venue["title"] and ward[0].lower() in there.text.lower()
    assert len(api.called("sendChatAction")) >= 4 and not api.unanswered


def test_an_old_keyboard_stays_usable_and_its_mark_moves(chat: Chat, api: BotApi, server: TelegramServer) -> None:
    [choices] = ask(chat, VAGUE)
    for which in (1, 0, 0):
        tap = chat.taps(choices, which)
        [answer] = chat.wait_for_reply()
        assert choices.titles[which][3:15] in answer.text and api.answer_to(tap) is not None
        server.wait_until_all_is_answered()
        assert [title.startswith("✓ ") for title in chat.now(choices).titles][which]
        assert sum(title.startswith("✓ ") for title in chat.now(choices).titles) == 1


def test_the_choice_can_be_a_number(chat: Chat) -> None:
    [choices] = ask(chat, VAGUE)
    [answer] = ask(chat, "2")
    assert choices.titles[1][3:15] in answer.text


def test_a_button_that_was_never_ours_is_answered_and_does_nothing(chat: Chat, api: BotApi) -> None:
    [choices] = ask(chat, VAGUE)
    for data in ("#0123456789abcdef", "/restart", "/session_start", "x" * 64, "/choose{"):
        choices.buttons[0]["callback_data"] = data
        tap = chat.taps(choices, 0)
        api.wait_for(lambda api, tap=tap: api.answer_to(tap))
        assert "cũ" in api.answer_to(tap)["text"]
    # Of a message that Telegram no longer shows.
    gone = {"message_id": 1, "date": 0, "chat": chat.to_json()}
    query = {"id": api.new_query(chat), "from": chat.members[0].to_json(), "chat_instance": "1"}
    update = api.updates.put(
        "callback_query", {**query, "message": gone, "data": '/choose{"procedure": "1.004222"}'}, 0
    )
    [answer] = chat.wait_for_reply(settle=0.3)
    assert "thường trú" in answer.text and api.answer_to(update) is not None


# -- commands --------------------------------------------------------------------------------------------------------


@BOTH
def test_the_menu_is_registered(api: BotApi) -> None:
    assert [command["command"] for command in api.commands] == ["start", "help", "huy", "xoadulieu"]


def test_start_says_what_this_is_every_time(chat: Chat) -> None:
    notice, hello = ask(chat, "/start tu-trang-phuong", 2)
    assert "máy" in notice.text and len(notice.buttons) == 2 and "Chào" in hello.text


def test_help_and_an_unknown_command_tell_how_to_ask(chat: Chat) -> None:
    for command in ("/help", "/khong_co", "/help@hoimotcua_bot"):
        [answer] = ask(chat, command)
        assert "thủ tục" in answer.text and "Ví dụ" in answer.text


def test_start_over_forgets_what_was_talked_about(chat: Chat) -> None:
    ask(chat, OFFICE)
    ask(chat, "/huy")
    [answer] = ask(chat, "lệ phí bao nhiêu?")
    assert "thường trú" not in answer.text.lower().replace("đăng ký tạm trú", "")


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_nothing_is_kept_of_who_does_not_agree(server: TelegramServer, api: BotApi) -> None:
    chat = api.private(api.user(id=7_700_000_001, first_name="Nguyễn Thị Kín", username="kin_dao"))
    ask(chat, "Con tôi tên Bống Bang cần đăng ký khai sinh, số 0912345678", 2)
    notice = next(message for message in chat.messages if len(message.buttons) == 2)
    chat.taps(notice, 1)
    chat.wait_for_reply()
    chat.taps(notice, 1)
    chat.wait_for_reply()
    ask(chat, "nhà ở phường Bạch Mai, tên Bống Bang")
    server.wait_until_all_is_answered()
    for trace in ("7700000001", "Nguyễn Thị Kín", "kin_dao", "Bống", "0912345678"):
        assert trace not in server.kept() and trace not in server.log
        assert trace.encode() not in server.disk() and json.dumps(trace)[1:-1].encode() not in server.disk()
    assert len({row[3] for row in server.rows("turn")}) > 1, "turns are counted all the same"


def test_what_was_agreed_to_is_kept_masked_until_it_is_to_be_deleted(server: TelegramServer, api: BotApi) -> None:
    chat = api.private(api.user(id=7_700_000_002))
    ask(chat, "/start", 2)
    notice = chat.messages[0]
    chat.taps(notice, 0)
    [thanks] = chat.wait_for_reply()
    server.wait_until_all_is_answered()
    assert "90 ngày" in thanks.text and chat.now(notice).titles[0].startswith("✓ ")
    ask(chat, "xin giấy độc thân, gọi 0912345678 nhé")
    kept = server.kept()
    assert "giấy độc thân, gọi [số điện thoại]" in kept and "7700000002" not in kept and "0912345678" not in kept
    [done] = ask(chat, "/xoadulieu")
    assert "1 câu hỏi" in done.text
    assert "giấy độc thân" not in server.kept() and server.rows("consent") == []
    assert "giấy độc thân".encode() not in server.disk()
    [fee] = ask(chat, "thế lệ phí bao nhiêu?")
    assert "độc thân" not in fee.text, "the conversation is forgotten, too"
    assert server.rows("message") == []


# -- what is not words ---------------------------------------------------------------------------------------------


KINDS: dict[str, dict[str, Any]] = {
    "contact": {"contact": {"phone_number": "0912345678", "first_name": "Lan"}},
    "poll": {
        "poll": {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False}
        | {"is_anonymous": True, "type": "regular", "allows_multiple_answers": False, "allows_revoting": True}
    },
    "poll of an older Telegram": {"poll": {"id": "1", "question": "?"}},
    "video_note": {"video_note": {"file_id": "f", "file_unique_id": "u", "length": 10, "duration": 3}},
    "dice": {"dice": {"emoji": "🎲", "value": 3}},
    "audio": {"audio": {"file_id": "f", "file_unique_id": "u", "duration": 3}},
    "animation": {"animation": {"file_id": "f", "file_unique_id": "u", "duration": 3, "width": 9, "height": 9}},
    "story": {"story": {"id": 1, "chat": {"id": 5, "type": "private", "first_name": "x"}}},
}


@pytest.mark.parametrize("kind", ["voice", "photo", "sticker", "document", *KINDS])
def test_what_cannot_be_read_is_told_kindly_and_not_fetched(chat: Chat, api: BotApi, kind: str) -> None:
    getattr(chat, f"sends_{kind}")() if kind not in KINDS else chat.sends(**KINDS[kind])
    [answer] = chat.wait_for_reply(settle=0.3)
    assert "chỉ đọc được chữ và vị trí" in answer.text
    assert not api.called("getFile")


def test_the_words_beside_a_photo_are_answered(chat: Chat) -> None:
    chat.sends_photo(caption=OFFICE)
    note, answer = chat.wait_for_reply(2)
    assert "ảnh" in note.text and "phường Bạch Mai" in answer.text


def test_an_album_is_one_thing(chat: Chat) -> None:
    for _ in range(4):
        chat.sends_photo(media_group_id="album")
    assert len(chat.wait_for_reply(settle=1.0)) == 1


def test_what_telegram_itself_says_is_not_answered(chat: Chat) -> None:
    chat.sends(pinned_message=chat.find_json(1))
    chat.sends(message_auto_delete_timer_changed={"message_auto_delete_time": 86400})
    assert len(ask(chat, "/help")) == 1


def test_an_edited_question_is_answered_anew_and_a_preview_is_no_edit(chat: Chat) -> None:
    said = chat.says("lệ phí đăng ký kết hôn")["message"]
    chat.wait_for_reply()
    chat.edits(said["message_id"], "lệ phí đăng ký khai sinh")
    [answer] = chat.wait_for_reply(settle=0.3)
    assert "khai sinh" in answer.text and answer.reply_to == said["message_id"]
    chat.edits(said["message_id"], "lệ phí đăng ký khai sinh")
    assert len(ask(chat, "/help")) == 1


def test_a_place_outside_and_a_place_shared_live(chat: Chat, api: BotApi) -> None:
    chat.shares_location(10.77, 106.7)
    [answer] = chat.wait_for_reply(settle=0.3)
    assert "không ở Hà Nội" in answer.text and answer.venue is None
    shared = chat.shares_location(*BACH_MAI)["message"]
    _, pin, _ = chat.wait_for_reply(3)
    assert pin.venue is not None and "Bạch Mai" in pin.venue["title"] + pin.venue["address"]
    for step in range(3):
        moved = {"latitude": BACH_MAI[0] + step / 1000, "longitude": BACH_MAI[1], "live_period": 900}
        api.updates.put("edited_message", {**shared, "edit_date": int(time.time()), "location": moved}, chat.id)
    assert len(ask(chat, "/help")) == 1


@pytest.mark.parametrize(
    "text", ["/", "//", "?", "😀", "\u200b", "a" * 60, "<b>&lt;</i>", "'; drop table inbox;--", "\0x"]
)
def test_odd_words_get_an_answer(chat: Chat, text: str) -> None:
    chat.sends(text=text)
    assert len(chat.wait_for_reply(settle=0.2)) == 1


def test_a_question_of_great_length_is_refused_with_a_word_on_it(chat: Chat) -> None:
    [answer] = ask(chat, "khai sinh " * 409)
    assert str(LONGEST_QUESTION) in answer.text
    [answer] = ask(chat, ("đăng ký khai sinh " * 60)[:LONGEST_QUESTION])
    assert "quá" not in answer.text


# -- groups --------------------------------------------------------------------------------------------------------


@pytest.fixture
def group(api: BotApi) -> Chat:
    return api.group("Tổ dân phố 5", [api.user(), api.user()])


def test_in_a_group_only_who_addresses_the_bot_is_answered(server: TelegramServer, api: BotApi, group: Chat) -> None:
    for text in (OFFICE, "/khong_co", "/start@other_bot", "@other_bot chào", "email a@hoimotcua.vn"):
        group.says(text)
    group.sends_voice()
    group.sends_photo(caption="khai sinh")
    group.shares_location(*BACH_MAI)
    somebody = group.says("chào cả nhà")["message"]
    group.says("ai biết khai sinh?", reply_to=somebody["message_id"])
    said = group.says(f"@HoiMotCua_bot {OFFICE}", by=group.members[1])["message"]
    notice, answer = group.wait_for_reply(2, settle=1.0)
    assert "Trong nhóm" in notice.text and not notice.buttons
    assert "phường Bạch Mai" in answer.text and answer.reply_to == said["message_id"]
    follow = group.says("lệ phí?", reply_to=answer, by=group.members[1])["message"]
    [fee] = group.wait_for_reply(settle=0.3)
    assert "thường trú" in fee.text and fee.reply_to == follow["message_id"]
    [other] = ask(group, "lệ phí?", reply_to=answer)
    assert "thường trú" not in other.text.lower(), "everybody has a conversation of their own"
    [helped] = ask(group, "/help@hoimotcua_bot")
    assert "thủ tục" in helped.text
    mention = {"type": "mention", "offset": 0, "length": len("@hoimotcua_bot")}
    group.sends_photo(caption=f"@hoimotcua_bot {OFFICE}", caption_entities=[mention])
    assert len(group.wait_for_reply(2, settle=0.3)) == 2


def test_nothing_is_kept_of_a_group_even_of_who_agreed(server: TelegramServer, api: BotApi) -> None:
    user = api.user()
    alone, group = api.private(user), api.group("Nhóm", [user])
    ask(alone, "/start", 2)
    alone.taps(alone.messages[0], 0)
    alone.wait_for_reply()
    ask(group, "@hoimotcua_bot xin giấy độc thân ở đâu", 2)
    assert "giấy độc thân" not in server.kept()
    ask(alone, "/xoadulieu")


def test_a_group_becomes_a_supergroup_or_throws_the_bot_out(server: TelegramServer, api: BotApi, group: Chat) -> None:
    group.says("@hoimotcua_bot chào")
    group.wait_for_reply(2)
    group.says("/help@hoimotcua_bot")
    group.blocks_bot()
    server.wait_until_all_is_answered()
    assert "Lỗi" not in server.log.splitlines()[-1:]


# -- Telegram's bad moments ----------------------------------------------------------------------------------------


def test_a_429_is_waited_for(chat: Chat, api: BotApi) -> None:
    api.fail("sendMessage", times=2, status=429, retry_after=1)
    began = time.monotonic()
    [answer] = ask(chat, OFFICE)
    assert "Bạch Mai" in answer.text and answer.sent - began > 2
    assert len(api.called("sendMessage", 429)) >= 2


@pytest.mark.parametrize("status", [500, 502])
def test_a_burst_of_errors_is_ridden_out(chat: Chat, api: BotApi, server: TelegramServer, status: int) -> None:
    api.fail("sendMessage", times=4, status=status)
    [answer] = ask(chat, OFFICE)
    assert "Bạch Mai" in answer.text and "sendMessage" in server.log


@BOTH
def test_an_outage_loses_nothing(server: TelegramServer, api: BotApi) -> None:
    chats = [introduced(api) for _ in range(3)]
    with api.outage():
        for chat in chats:
            chat.says(OFFICE)
            chat.says("lệ phí?")
        time.sleep(3)
        assert server.answers()
    for chat in chats:
        office, fee = chat.wait_for_reply(2, settle=0.5)
        assert "Nơi giải quyết" in office.text and "phí" in fee.text


def test_a_connection_that_breaks_is_tried_again(chat: Chat, api: BotApi) -> None:
    api.drop("sendMessage", times=2)
    [answer] = ask(chat, OFFICE)
    assert "Bạch Mai" in answer.text


def test_a_slow_telegram_gets_one_message_not_several(chat: Chat, api: BotApi) -> None:
    api.slow("sendMessage", 7)
    chat.says(OFFICE)
    assert len(chat.wait_for_reply(settle=3)) == 1


def test_nothing_waits_for_a_courtesy(chat: Chat, api: BotApi, server: TelegramServer) -> None:
    api.slow("sendChatAction", 30)
    [answer] = ask(chat, VAGUE)
    typing = [call for call in api.called("sendChatAction") if call.params["chat_id"] == chat.id]
    assert typing == [], "it hangs still"
    api.fail("answerCallbackQuery", status=400)
    api.fail("editMessageReplyMarkup", status=400)
    api.fail("sendChatAction", status=500)
    chat.taps(answer, 0)
    chat.wait_for_reply()
    server.wait_until_all_is_answered()


def test_who_blocked_the_bot_is_no_error(chat: Chat, server: TelegramServer) -> None:
    chat.says(OFFICE)
    chat.blocks_bot()
    server.wait_until_all_is_answered()
    before = server.log
    chat.unblocks_bot()
    chat._unread.clear()
    assert len(ask(chat, OFFICE)) == 1
    assert "Traceback" not in server.log[len(before) :] and "Lỗi" not in server.log[len(before) - 400 :]


@BOTH
def test_updates_come_twice_and_are_answered_once(chat: Chat, api: BotApi) -> None:
    chat.says(OFFICE)
    api.repeat_last_update()
    chat.wait_for_reply()
    api.repeat_last_update()
    assert chat.wait_for_reply(0, settle=1.0) == []


@BOTH
def test_updates_that_come_in_the_wrong_order_are_answered_in_the_right_one(chat: Chat, api: BotApi) -> None:
    api.shuffle_next(3)
    for text in (OFFICE, "lệ phí?", "/help"):
        chat.says(text)
    office, fee, helped = chat.wait_for_reply(3)
    assert "Nơi giải quyết" in office.text and "phí" in fee.text and "Ví dụ" in helped.text


def test_an_error_in_a_turn_is_told_with_a_number_that_the_log_has(chat: Chat, server: TelegramServer) -> None:
    [answer] = ask(chat, f"khai sinh {BROKEN}")
    reference = re.search(r"mã ([0-9A-F]{8})", answer.text)
    assert "Xin lỗi" in answer.text and reference
    assert f"Lỗi {reference[1]}" in server.log and "broken on purpose" in server.log
    [answer] = ask(chat, OFFICE)
    assert "Bạch Mai" in answer.text, "and the next question is answered"


# -- the webhook's address -------------------------------------------------------------------------------------------


def post(server: TelegramServer, body: Any, secret: Optional[str] = SECRET) -> httpx.Response:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return httpx.post(server.url + PATH, content=content, headers=headers, timeout=20)


def an_update(chat: Chat, number: int, text: str = OFFICE) -> dict[str, Any]:
    message = {"message_id": 1, "date": 1, "chat": chat.to_json(), "from": chat.members[0].to_json(), "text": text}
    return {"update_id": number, "message": message}


def test_while_polling_no_webhook_is_open(server: TelegramServer, chat: Chat) -> None:
    assert post(server, an_update(chat, 5_000_001)).status_code == 403


# -- the end, and after ------------------------------------------------------------------------------------------------


def test_a_stop_loses_nothing_and_says_nothing_twice(server: TelegramServer) -> None:
    restart_amid_questions(server, server.stop)


@BOTH
def test_a_kill_loses_nothing_and_says_nothing_twice(server: TelegramServer) -> None:
    restart_amid_questions(server, server.kill)


def restart_amid_questions(server: TelegramServer, end: Callable[[], object]) -> None:
    api = server.api
    chats = [introduced(api) for _ in range(4)]
    with server.slow():
        for chat in chats:
            chat.says(OFFICE)
            chat.says("/help")
        time.sleep(1.0)
        end()
    for chat in chats:
        chat.says("thủ tục đăng ký kết hôn ở phường Láng")
    server.start().wait_until_up()
    for chat in chats:
        chat.wait_for_reply()
    api.wait_for(lambda api: not len(api.updates))
    server.wait_until_all_is_answered()
    for chat in chats:
        said = [message.text for message in chat.messages if "không phải người" not in message.text]
        assert [sum(part in text for text in said) for part in EXPECTED] == [1, 1, 1]
        assert len(said) == 4, "with the greeting"


def test_a_restart_in_the_middle_of_an_answer_sends_the_rest(server: TelegramServer, api: BotApi) -> None:
    chat = introduced(api)
    api.fail("sendVenue", times=100, status=502)
    chat.shares_location(*BACH_MAI)
    chat.wait_for_reply(1)
    api.wait_for(lambda api: api.called("sendVenue", 502))
    server.kill()
    api._faults._ordered.clear()
    server.start().wait_until_up()
    after = chat.wait_for_reply(2, settle=1.0)
    assert [message.venue is not None for message in after] == [True, False]


def test_it_stops_and_starts_while_telegram_is_down_and_knows_who_agreed(
    server: TelegramServer, api: BotApi, chat: Chat
) -> None:
    chat.taps(chat.messages[0], 0)
    chat.wait_for_reply()
    server.wait_until_all_is_answered()
    with api.outage():
        time.sleep(1)
        server.stop()
        server.start()
        assert server.answers() and not server.is_up
    server.wait_until_up()
    assert len(ask(chat, OFFICE)) == 1, "who agreed is not asked again"
    ask(chat, "/xoadulieu")
    assert server.rows("consent") == []


# -- more than one -------------------------------------------------------------------------------------------------


def test_of_two_servers_one_answers_and_the_other_takes_over(model: Path, tmp_path: Path) -> None:
    with BotApi(TOKEN) as api:
        database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'shared.sqlite'}"}
        first = TelegramServer(tmp_path / "one", model.parent, api, webhook=True, **database)
        first.start().wait_until_up()
        second = TelegramServer(tmp_path / "two", model.parent, api, webhook=True, **database)
        (second.home / "person.key").write_bytes((first.home / "person.key").read_bytes())
        second.start()
        assert not second.is_up
        # Telegram's calls now reach the one that does not answer.
        chat = api.private()
        assert len(ask(chat, OFFICE, 2)) == 2
        first.kill()
        chat.says("lệ phí đăng ký kết hôn")
        assert "phí" in text_of(chat.wait_for_reply(2))
        assert second.is_up
        second.stop()
        assert api.violations == []


# -- webhook only; stays last ------------------------------------------------------------------------------------------


@WEBHOOK_ONLY
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "đ"])
def test_a_call_without_the_secret_is_refused(server: TelegramServer, chat: Chat, secret: Optional[str]) -> None:
    headers = {} if secret is None else {b"X-Telegram-Bot-Api-Secret-Token": secret.encode()}
    body = json.dumps(an_update(chat, 5_000_000))
    answer = httpx.post(server.url + PATH, content=body, headers=headers)
    assert answer.status_code == 403 and SECRET not in answer.text
    assert 5_000_000 not in [row[0] for row in server.rows("inbox")]


@WEBHOOK_ONLY
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[1, 2]", 400),
        (b'"x"', 400),
        (b"null", 400),
        (b"[" * 100_000, 400),
        ({}, 400),
        ({"update_id": "5"}, 400),
        ({"update_id": True}, 400),
        ({"update_id": 2**70}, 400),
        ({"update_id": -1}, 400),
        ({"update_id": 6_000_001, "message": "x"}, 400),
        ({"update_id": 6_000_002, "message": {"text": 5}}, 400),
        ({"update_id": 6_000_003, "callback_query": {"id": 5}}, 400),
        ({"update_id": 6_000_004, "message": {"message_id": 1, "date": "x", "chat": {"id": "x", "type": 3}}}, 400),
        (b" " * (LARGEST_BODY + 1), 413),
        (b" " * (LIMIT + 1), 413),
        ({"update_id": 6_000_005}, 200),
        ({"update_id": 6_000_006, "something_new": {"x": 1}}, 200),
    ],
    ids=lambda value: str(value)[:40].strip(),
)
def test_a_body_that_is_no_update_is_refused(server: TelegramServer, chat: Chat, body: Any, status: int) -> None:
    answer = post(server, body)
    assert answer.status_code == status
    assert "Traceback" not in answer.text and "File" not in answer.text
    assert len(ask(chat, "/help")) == 1


@WEBHOOK_ONLY
def test_half_a_character_does_no_harm(server: TelegramServer, chat: Chat) -> None:
    body = json.dumps(an_update(chat, 6_000_100, "khai sinh PLACE")).replace("PLACE", "\\ud83d")
    assert post(server, body).status_code == 200
    assert len(chat.wait_for_reply()) == 1


@WEBHOOK_ONLY
def test_the_webhook_answers_before_the_turn(server: TelegramServer, api: BotApi, chat: Chat) -> None:
    before = len(api.deliveries)
    with server.slow():
        chat.says(OFFICE)
        chat.says("lệ phí?")
        office, fee = chat.wait_for_reply(2)
    first, second = api.deliveries[before:]
    assert first.status == second.status == 200
    assert max(first.time + first.seconds, second.time + second.seconds) < office.sent
    assert "Nơi giải quyết" in office.text and "phí" in fee.text
