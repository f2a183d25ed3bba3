"""The web channel over real HTTP: the whole bot in a process of its own, stopped, killed, slowed down and misused."""

from __future__ import annotations

import contextlib
import json
import random
import re
import sqlite3
import stat
import string
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.channels.web_server import BASE, BROKEN, Person, Server

QUESTION = "Đăng ký thường trú ở phường Bạch Mai nộp ở đâu?"
FOLLOW_UP = "thế lệ phí bao nhiêu"
SITES = """
sites:
  - origin: self
  - origin: https://bachmai.example.vn
    title: Phường Bạch Mai
    colors: {accent: "#004b87", on_accent: "#ffffff"}
    unit: Phường Bạch Mai
    lang: en
"""


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("web")
    (folder / "sites.yml").write_text(SITES, encoding="utf-8")
    running = Server(folder / "home", model.parent, MOTCUA_SITES=str(folder / "sites.yml"), MOTCUA_PROXIES="127.0.0.1")
    yield running.start()
    if running.is_running:
        running.stop()


@pytest.fixture
def person(server: Server) -> Person:
    return Person(server)


def agreed(server: Server) -> Person:
    found = Person(server)
    assert found.call("POST", "consent", {"given": True}).status_code == 200
    return found


def stored(server: Server) -> str:
    """All that the database holds, as text."""
    with sqlite3.connect(server.home / "catalogue.sqlite") as connection:
        tables = ("web_event", "web_state", "message", "consent", "turn", "thumb", "inbox")
        return json.dumps([connection.execute(f"select * from {table}").fetchall() for table in tables], default=str)


def texts(events: list[dict[str, Any]], type: str) -> list[str]:
    return [event["text"] for event in events if event["type"] == type]


# -- sessions ------------------------------------------------------------------------------------------------------


def test_a_session_is_issued_with_all_that_a_page_needs(person: Person) -> None:
    opened = person.opened
    assert opened["consent"] is None and opened["cursor"] == 0 and opened["kept_days"] == 90
    assert opened["limits"] == {"characters": 1000} and len(opened["suggestions"]) >= 3
    assert set(opened["site"]) == {"title", "colors", "unit", "lang"}


def test_a_valid_token_is_continued(server: Server, person: Person) -> None:
    person.ask(text=QUESTION)
    again = Person(server, token=person.token)
    assert again.opened["cursor"] == 2
    assert [event["type"] for event in again.events()] == ["user", "bot"]


@pytest.mark.parametrize("how", ["made up", "signed by another", "unsigned", "expired", "changed", "empty", "a number"])
def test_anything_else_than_a_valid_token_gives_a_new_session(server: Server, person: Person, how: str) -> None:
    person.ask(text=QUESTION)
    id = jwt.decode(person.token, options={"verify_signature": False})["sub"]
    key = (server.home / "web.key").read_text().strip()
    head, body, signature = person.token.split(".")
    bad: Any = {
        "made up": id,
        "signed by another": jwt.encode({"sub": id, "exp": time.time() + 99}, "0" * 64, algorithm="HS256"),
        "unsigned": jwt.encode({"sub": id, "exp": time.time() + 99}, "", algorithm="none"),
        "expired": jwt.encode({"sub": id, "exp": time.time() - 1}, key, algorithm="HS256"),
        "changed": f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}",
        "empty": "",
        "a number": 7,
    }[how]
    opened = httpx.post(f"{server.url}{BASE}/session", json={"token": bad}).json()
    assert opened["cursor"] == 0 and jwt.decode(opened["token"], key, algorithms=["HS256"])["sub"] != id


def test_the_key_is_readable_by_its_owner_only(server: Server) -> None:
    assert stat.S_IMODE((server.home / "web.key").stat().st_mode) == 0o600


def test_without_a_session_nothing_is_answered(server: Server) -> None:
    refused = httpx.post(f"{server.url}{BASE}/messages", json={"id": "a", "text": "chào"})
    assert (refused.status_code, refused.json()["code"]) == (401, "no_session")


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(server: Server) -> None:
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as browser:
        first = browser.post(f"{BASE}/session", json={})
        flags = first.headers["set-cookie"].lower()
        assert "httponly" in flags and "samesite=lax" in flags and "path=/" in flags and "secure" not in flags
        assert browser.post(f"{BASE}/messages", json={"id": "c1", "text": QUESTION}).status_code == 202
        second = browser.post(f"{BASE}/session", json={}).json()
        assert second["cursor"] >= 1 and second["token"] == "", "a script needs no token where the cookie works"


def test_under_https_the_cookie_never_travels_without_it(server: Server) -> None:
    origin = server.url.replace("http:", "https:")
    answer = httpx.post(
        f"{server.url}{BASE}/session", json={}, headers={"Origin": origin, "X-Forwarded-Proto": "https"}
    )
    assert "secure" in answer.headers["set-cookie"].lower()


def test_another_site_gets_a_token_and_no_cookie(server: Server) -> None:
    headers = {"Origin": "https://bachmai.example.vn", "Sec-Fetch-Site": "cross-site"}
    answer = httpx.post(f"{server.url}{BASE}/session", json={}, headers=headers)
    assert answer.json()["token"] and "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["messages", "consent", "restart", "feedback"])
def test_a_cookie_alone_does_nothing_unless_the_site_is_known(server: Server, path: str) -> None:
    with httpx.Client(base_url=server.url) as browser:
        browser.post(f"{BASE}/session", json={}, headers={"Origin": server.url})
        body = {"id": "x", "text": "chào", "given": True, "turn": 1, "up": True}
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            refused = browser.post(f"{BASE}/{path}", json=body, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "origin")
        assert browser.get(f"{BASE}/events", params={"wait": 0}).json()["events"] == []


# -- sites and CORS --------------------------------------------------------------------------------------------------


def test_an_allowed_site_is_told_so_and_gets_its_looks_and_ward(server: Server) -> None:
    origin = "https://bachmai.example.vn"
    visitor = Person(server, origin=origin)
    assert visitor.opened["site"]["title"] == "Phường Bạch Mai" and visitor.opened["site"]["lang"] == "en"
    [answer] = visitor.ask(text="Đăng ký thường trú nộp ở đâu?")
    assert "Công an phường Bạch Mai" in answer["text"]
    reply = visitor.call("GET", "events", wait=0)
    assert reply.headers["access-control-allow-origin"] == origin
    assert reply.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize("path", ["site", "session", "messages", "consent", "restart", "feedback", "events"])
def test_preflights(server: Server, path: str) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    good = httpx.options(f"{server.url}{BASE}/{path}", headers={**ask, "Origin": "https://bachmai.example.vn"})
    assert good.status_code == 204 and "authorization" in good.headers["access-control-allow-headers"].lower()
    assert {"GET", "POST", "DELETE"} <= set(good.headers["access-control-allow-methods"].split(", "))
    assert good.headers["vary"] == "Origin"
    bad = httpx.options(f"{server.url}{BASE}/{path}", headers={**ask, "Origin": "https://bachmai.example.vn.evil.net"})
    assert bad.status_code == 403 and not [name for name in bad.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://bachmai.example.vn", "file://", "*", ""])
def test_a_foreign_site_is_refused(server: Server, person: Person, origin: str) -> None:
    headers = {"Authorization": f"Bearer {person.token}", "Origin": origin}
    for method, path in (("POST", "session"), ("GET", "events")):
        refused = httpx.request(method, f"{server.url}{BASE}/{path}", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "origin")
        assert "access-control-allow-origin" not in refused.headers and refused.headers["vary"] == "Origin"


def test_errors_too_can_be_read_by_an_allowed_site(server: Server) -> None:
    headers = {"Origin": "https://bachmai.example.vn"}
    refused = httpx.post(f"{server.url}{BASE}/messages", content=b"{", headers=headers)
    assert refused.status_code in (400, 401) and "access-control-allow-origin" in refused.headers


def test_a_site_can_be_dressed_before_there_is_a_session(server: Server) -> None:
    looks = httpx.get(f"{server.url}{BASE}/site", headers={"Origin": "https://bachmai.example.vn"})
    assert looks.json()["site"]["title"] == "Phường Bạch Mai" and looks.json()["kept_days"] == 90
    assert looks.headers["cache-control"] == "public, max-age=60" and looks.headers["vary"] == "Origin"
    assert "set-cookie" not in looks.headers
    refused = httpx.get(f"{server.url}{BASE}/site", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403 and refused.headers["cache-control"] == "no-store"


def test_the_component_is_sent_small_to_any_site_and_only_when_it_changed(server: Server) -> None:
    url = f"{server.url}/widget/mot-cua-chat.js"
    got = httpx.get(url, headers={"Origin": "https://bachmai.example.vn"})
    assert got.headers["content-type"].startswith("text/javascript") and got.headers["content-encoding"] == "gzip"
    assert got.headers["access-control-allow-origin"] == "*" and got.headers["x-content-type-options"] == "nosniff"
    assert "max-age=300" in got.headers["cache-control"] and got.headers["vary"] == "Accept-Encoding"
    assert httpx.get(url, headers={"If-None-Match": got.headers["etag"]}).status_code == 304
    plain = httpx.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == got.text
    assert httpx.get(f"{server.url}/widget/element.js").status_code == 404
    assert httpx.get(f"{server.url}/widget/..%2fweb.py").status_code == 404


# -- messages --------------------------------------------------------------------------------------------------------


def test_a_conversation_with_words_taps_and_a_place(person: Person) -> None:
    [offer] = person.ask(text="tôi muốn làm lại giấy khai sinh")
    button = offer["buttons"][0]
    [taken] = person.ask(payload=button["payload"])
    assert taken["payload"]["procedure"]
    events = person.events()
    assert [event["type"] for event in events] == ["user", "bot", "user", "bot"]
    assert events[1]["chosen"] == button["payload"] and events[2]["text"] == button["title"]
    assert [event["cursor"] for event in events] == sorted({event["cursor"] for event in events})
    [near, placed] = person.ask(location={"lat": 21.0285, "lon": 105.8542})
    assert placed["payload"]["unit"]["name"] in near["text"] and placed["turn"] == near["turn"] > taken["turn"]
    [outside] = person.ask(location={"lat": 10.77, "lon": 106.69})
    assert "không ở Hà Nội" in outside["text"]
    assert "21.02" not in json.dumps(person.events()), "where somebody is, is not kept in a log"


def test_the_same_id_is_answered_once(server: Server, person: Person) -> None:
    id = uuid.uuid4().hex
    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(lambda _: person.send(id, text=QUESTION).status_code, range(6)))
    assert sent == [202] * 6
    person.answers_to(id)
    assert person.send(id, text=QUESTION).status_code == 202
    time.sleep(0.5)
    assert [event["type"] for event in person.events()] == ["user", "bot"]


def test_turns_of_one_session_keep_their_order_and_do_not_hold_up_another(server: Server) -> None:
    first, second = Person(server), Person(server)
    ids = ["a", "b", "c"]
    with server.slow():
        for id, text in zip(ids, (QUESTION, FOLLOW_UP, "cần giấy tờ gì")):
            assert first.send(id, text=text).status_code == 202
        started = time.monotonic()
        second.ask(text=QUESTION)
        assert time.monotonic() - started < 5, "three turns of somebody else take at least six seconds"
        first.answers_to("c")
    answers = [event for event in first.events() if event["type"] == "bot"]
    assert [event["id"] for event in answers] == ids
    assert all(event["payload"]["procedure"]["code"] == "1.004222" for event in answers)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": "a", "text": ""}, 400, "empty"),
        ({"id": "a", "text": " \n\u0000\u200b".replace("\u200b", "")}, 400, "empty"),
        ({"id": "a", "text": "a" * 1001}, 400, "too_long"),
        ({"id": "a", "text": 7}, 400, "bad_request"),
        ({"id": "a", "text": None}, 400, "bad_request"),
        ({"id": "a"}, 400, "bad_request"),
        ({"id": "a", "text": "x", "payload": "/help"}, 400, "bad_request"),
        ({"text": "x"}, 400, "bad_request"),
        ({"id": "", "text": "x"}, 400, "bad_request"),
        ({"id": 5, "text": "x"}, 400, "bad_request"),
        ({"id": "a" * 65, "text": "x"}, 400, "bad_request"),
        ({"id": "a b", "text": "x"}, 400, "bad_request"),
        ({"id": "a", "payload": "/start_over"}, 400, "unknown_button"),
        ({"id": "a", "payload": '/inform_place{"unit": "00277"}'}, 400, "unknown_button"),
        ({"id": "a", "payload": ["/help"]}, 400, "unknown_button"),
        ({"id": "a", "location": {"lat": 91, "lon": 0}}, 400, "bad_location"),
        ({"id": "a", "location": {"lat": "21", "lon": "105"}}, 400, "bad_location"),
        ({"id": "a", "location": {"lat": True, "lon": False}}, 400, "bad_location"),
        ({"id": "a", "location": [21, 105]}, 400, "bad_location"),
        ({"id": "a", "text": "a" * 20_000}, 413, "too_large"),
        ([], 400, "bad_request"),
        ("chào", 400, "bad_request"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(person: Person, body: Any, status: int, code: str) -> None:
    refused = person.call("POST", "messages", body)
    assert (refused.status_code, refused.json()["code"]) == (status, code) and refused.json()["error"]
    assert person.events() == []


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 9000, b'{"id": "a", "location": {"lat": NaN, "lon": 1}}'])
def test_what_is_not_json_is_refused(person: Person, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    refused = httpx.post(f"{person.server.url}{BASE}/messages", content=raw, headers=headers)
    assert refused.status_code == 400 and refused.json()["error"]


def test_a_huge_body_is_refused_before_it_is_held(server: Server) -> None:
    for path in (f"{BASE}/messages", "/hoi"):
        with contextlib.suppress(httpx.TransportError):  # it may be closed while the rest is still being sent
            assert httpx.post(server.url + path, content=b"a" * 2_000_000).status_code == 413
    assert Person(server).ask(text=QUESTION)


def test_an_intent_that_is_typed_is_text(person: Person) -> None:
    person.ask(text=QUESTION)
    [answer] = person.ask(text='/inform_place{"unit": "00004"}')
    assert "Ba Đình" not in answer["text"]


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        '"><script>alert(1)</script>',
        "javascript:alert(1)",
        "khai sinh \u202e\u0000\ud83d ở đâu",
        "'; drop table web_event; --",
        "{{7*7}} ${7*7} {% raw %}",
    ],
)
def test_hostile_text_comes_back_as_text(person: Person, text: str) -> None:
    headers = {"Authorization": f"Bearer {person.token}"}
    raw = json.dumps({"id": "a", "text": text})  # escapes the lone half of a pair
    sent = httpx.post(f"{person.server.url}{BASE}/messages", content=raw, headers=headers)
    assert sent.status_code == 202 and "json" in sent.headers["content-type"]
    [answer] = person.answers_to("a")
    assert answer["type"] == "bot" and "49" not in answer["text"]
    assert texts(person.events(), "user")[0].startswith(text[:4])


def test_letters_are_counted_as_people_see_them(person: Person) -> None:
    [answer] = person.ask(text="a\u0301" * 1000)
    assert answer["type"] == "bot" and texts(person.events(), "user") == ["á" * 1000]


def test_a_turn_that_fails_says_so_with_a_number_that_the_log_has(model: Path, tmp_path: Path) -> None:
    server = Server(tmp_path / "home", model.parent).start()
    person = Person(server)
    [failed] = person.ask(text=f"{BROKEN} khai sinh")
    assert failed["type"] == "failed"
    assert person.ask(text=QUESTION)[0]["type"] == "bot", "the next one is answered"
    reference = re.search(r"[0-9A-F]{8}", failed["text"])
    assert reference and reference[0] in server.stop()


# -- what happened: streams and polls -----------------------------------------------------------------------------


def read_stream(person: Person, after: int, enough: Callable[[list[str]], bool], **headers: str) -> list[str]:
    """Lines of a stream, until there are enough."""
    lines: list[str] = []
    headers["Authorization"] = f"Bearer {person.token}"
    with httpx.stream(
        "GET", f"{person.server.url}{BASE}/events", params={"after": after}, headers=headers, timeout=30
    ) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store" and stream.headers["x-accel-buffering"] == "no"
        for line in stream.iter_lines():
            lines.append(line)
            if enough(lines):
                return lines
    return lines


def test_a_stream_says_hello_replays_and_goes_on(person: Person) -> None:
    assert read_stream(person, 0, lambda lines: bool(lines))[0] == ": hello"
    person.ask(text=QUESTION)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_stream, person, 1, lambda lines: "id: 4" in lines and lines[-1].startswith("data"))
        time.sleep(0.5)
        person.ask(text=FOLLOW_UP)
        lines = reading.result()
    assert [line for line in lines if line.startswith("id")] == ["id: 2", "id: 3", "id: 4"]
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert [event["type"] for event in events if event["type"] != "typing"] == ["bot", "user", "bot"]


def test_a_stream_shows_that_the_bot_is_typing_before_the_answer(server: Server, person: Person) -> None:
    with server.slow():
        person.send(text=QUESTION)
        lines = read_stream(person, 0, lambda lines: "id: 2" in lines)
    assert json.loads(lines[lines.index("id: 2") - 2][6:]) == {"type": "typing"}


def test_the_last_event_id_counts(person: Person) -> None:
    person.ask(text=QUESTION)
    person.ask(text=FOLLOW_UP)
    lines = read_stream(person, 0, lambda lines: len(lines) > 3, **{"Last-Event-ID": "3"})
    assert [line for line in lines if line.startswith("id")] == ["id: 4"]


def test_a_poll_waits_for_news_and_not_longer(server: Server, person: Person) -> None:
    assert person.events(0, wait=0.2) == []
    with server.slow():
        person.send("a", text=QUESTION)
        events = person.events(1, wait=20)
    assert texts(events, "bot") and events[0]["cursor"] == 2


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"after": "1e9"}, {"wait": "nan"}, {"wait": "-1"}])
def test_a_cursor_is_a_number(person: Person, query: dict[str, str]) -> None:
    assert person.call("GET", "events", None, **query).status_code == 400


def test_a_cursor_from_beyond_gets_everything(person: Person) -> None:
    person.ask(text=QUESTION)
    assert len(person.events(after=10**17)) == 2


def test_streams_that_are_dropped_leave_room_for_others(person: Person) -> None:
    for _ in range(20):
        assert read_stream(person, 0, lambda lines: bool(lines))
    assert person.ask(text=QUESTION)


def test_a_session_has_so_many_streams_at_once_and_no_more(person: Person) -> None:
    headers = {"Authorization": f"Bearer {person.token}"}
    with httpx.Client(base_url=person.server.url, headers=headers) as browser:
        streams = [browser.stream("GET", f"{BASE}/events") for _ in range(9)]
        statuses = [stream.__enter__().status_code for stream in streams]
        for stream in streams:
            stream.__exit__(None, None, None)
    assert statuses == [200] * 8 + [429]


# -- consent, starting over, ratings, deletion -----------------------------------------------------------------------


def unheard_of() -> str:
    """A word that nobody else says, of letters only: digits in it could be masked as a number is."""
    return "".join(random.choices(string.ascii_lowercase, k=30))


def test_without_consent_nothing_is_written(server: Server, person: Person) -> None:
    word = unheard_of()
    [answer] = person.ask(text=f"{word} đăng ký khai sinh ở đâu")
    person.call("POST", "feedback", {"turn": answer["turn"], "up": False, "reason": word})
    assert person.call("POST", "consent", {"given": False}).status_code == 200
    person.ask(text=f"{word} đăng ký kết hôn ở đâu")
    assert word not in stored(server)
    assert Person(server, person.token).opened["consent"] is False


def test_with_consent_what_was_said_before_is_kept_too_and_masked(server: Server, person: Person) -> None:
    word = unheard_of()
    person.ask(text=f"{word} đăng ký khai sinh, số của tôi 0912345678, căn cước 001095012345")
    assert word not in stored(server)
    person.call("POST", "consent", {"given": True})
    person.ask(text=f"gọi tôi {word} 0987654321")
    until = time.monotonic() + 20
    while (kept := stored(server)).count(word) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert kept.count(word) >= 2
    assert not any(number in kept for number in ("0912345678", "001095012345", "0987654321"))
    assert Person(server, person.token).opened["consent"] is True


@pytest.mark.parametrize("how", ["withdraw", "delete"])
def test_what_was_kept_can_be_deleted(server: Server, how: str) -> None:
    word = unheard_of()
    person = agreed(server)
    person.ask(text=f"{word} đăng ký khai sinh")
    assert word in stored(server)
    if how == "withdraw":
        person.call("POST", "consent", {"given": False})
        assert texts(person.events(), "user"), "what is on the screen stays there"
    else:
        assert person.call("DELETE", "session").status_code == 200
        assert [event["type"] for event in person.events()] == ["restarted"]
    assert word not in stored(server)
    person.ask(text=f"{word} đăng ký kết hôn")
    assert word not in stored(server)


def test_deleting_in_mid_answer_leaves_nothing(server: Server) -> None:
    word = unheard_of()
    person = agreed(server)
    with server.slow():
        person.send("a", text=f"{word} đăng ký khai sinh")
        assert person.call("DELETE", "session").status_code == 200
        time.sleep(3)
    assert [event["type"] for event in person.events()] == ["restarted"]
    assert word not in stored(server)


def test_starting_over_forgets_the_procedure_and_the_log(server: Server, person: Person) -> None:
    person.ask(text=QUESTION)
    assert person.call("POST", "restart", {}).status_code == 202
    assert [event["type"] for event in person.events()] == ["restarted"]
    [answer] = person.ask(text=FOLLOW_UP)
    assert answer["payload"]["procedure"] is None


def test_an_answer_can_be_rated_by_who_got_it(server: Server) -> None:
    person, other = agreed(server), Person(server)
    [answer] = person.ask(text=QUESTION)
    rating = {"turn": answer["turn"], "up": False, "reason": "Sai địa chỉ, gọi 0912345678"}
    assert person.call("POST", "feedback", rating).status_code == 200
    assert person.events()[-1] | {"at": 0, "cursor": 0} == {
        "type": "rated", "turn": answer["turn"], "up": False, "at": 0, "cursor": 0
    }  # fmt: skip
    assert "Sai \\u0111\\u1ecba ch\\u1ec9" in stored(server) and "0912345678" not in stored(server)
    for bad in ({**rating, "turn": 10**9}, {**rating, "turn": "1"}, {**rating, "turn": True}):
        assert person.call("POST", "feedback", bad).status_code == 404
    assert other.call("POST", "feedback", rating).status_code == 404, "not theirs"
    assert person.call("POST", "feedback", {**rating, "up": "yes"}).status_code == 400
    assert person.call("POST", "feedback", {**rating, "reason": "a" * 501}).json()["code"] == "too_long"


# -- restarts --------------------------------------------------------------------------------------------------------


def test_a_kept_conversation_survives_a_restart_and_goes_on(server: Server) -> None:
    person = agreed(server)
    person.ask(text=QUESTION)
    before = person.events()
    server.restart()
    again = Person(server, person.token)
    assert again.opened["consent"] is True and again.opened["cursor"] == before[-1]["cursor"]
    assert [event["cursor"] for event in again.events()] == [event["cursor"] for event in before]
    [answer] = again.ask(text=FOLLOW_UP)
    assert answer["payload"]["procedure"]["code"] == "1.004222"


def test_an_answer_in_flight_when_the_server_is_killed_comes_once(server: Server) -> None:
    person = agreed(server)
    person.ask(text=QUESTION)
    with server.slow():
        assert person.send("first", text=FOLLOW_UP).status_code == 202
        assert person.send("second", text="cần giấy tờ gì, số 0912345678").status_code == 202
        time.sleep(0.5)
        server.kill()
    server.start()
    for id in ("first", "second"):
        [answer] = person.answers_to(id)
        assert answer["payload"]["procedure"]["code"] == "1.004222"
    assert person.send("first", text=FOLLOW_UP).status_code == 202, (
        "the component may send again what it is not sure of"
    )
    server.restart()
    time.sleep(1)
    answers = [event["id"] for event in person.events() if event["type"] == "bot"]
    assert answers[1:] == ["first", "second"]


def test_a_turn_is_finished_when_the_server_is_stopped_in_order(server: Server) -> None:
    person = agreed(server)
    with server.slow():
        person.send("a", text=QUESTION)
        server.stop()
    server.start()
    assert len(person.answers_to("a")) == 1


def test_without_consent_a_message_sent_again_after_a_restart_is_answered(server: Server) -> None:
    person = Person(server)
    person.ask(text=QUESTION)
    seen = person.events()[-1]["cursor"]
    with server.slow():
        person.send("again", text=QUESTION)
        server.kill()
    server.start()
    assert person.events(after=seen) == []
    assert person.send("again", text=QUESTION).status_code == 202
    assert len(person.answers_to("again")) == 1
    assert [event["type"] for event in person.events(after=seen)] == ["user", "bot"], "cursors never go back"


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_session_that_asks_too_fast_is_told_how_long_to_wait(server: Server, person: Person) -> None:
    answers = [person.call("POST", "messages", {"id": "same", "text": "xin chào"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert answers[-1].json()["code"] == "slow_down" and "giây" in answers[-1].json()["error"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert Person(server).ask(text="xin chào"), "somebody else is not held up"


def test_an_address_that_opens_too_many_sessions_is_told_to_wait(server: Server) -> None:
    url = f"{server.url}{BASE}/session"
    with httpx.Client() as client:
        far = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        statuses = [client.post(url, json={}, headers=far).status_code for _ in range(121)]
        assert statuses == [200] * 120 + [429]
        forged = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
        assert client.post(url, json={}, headers=forged).status_code == 429, "only what our own proxy saw is believed"
        assert client.post(url, json={}, headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200


def test_the_old_channel_answers_as_before(server: Server) -> None:
    replies = httpx.post(f"{server.url}/webhooks/rest/webhook", json={"sender": "a", "message": QUESTION}).json()
    assert "Công an phường Bạch Mai" in replies[0]["text"]
