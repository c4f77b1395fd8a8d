"""Chats, messages and notifications over HTTP: order, borders of pages, filters, traps, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import pytest

from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.agency.model import Fan, Message, Payment
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.agency.talk import SampleChats
from bot.sandbox.times import MS_PER_DAY, MS_PER_MINUTE, parse
from tests.sandbox.agency_client import ACCOUNT, T0, Api, Json, crowd, serving

AMBER, VIP, FREE, NOVA = "acct_amber", "acct_vivian-vip", "acct_freya-free", "acct_nova-new"
MESSAGES = 57
"""In the chat of each fan of `talking`; fan 1003 has none."""


class FixedChats:
    """A message a minute from the fan and her side in turn; every fifth one is priced, every tenth from a queue."""

    def __init__(self, spread: int = 1) -> None:
        self._spread = spread

    def messages(self, fan: Fan, now: int) -> Sequence[Message]:
        if fan.id == 1_003:
            return ()
        start = fan.began_at
        found: list[Message] = []
        for number in range(1, MESSAGES + 1):
            at = start + number * MS_PER_MINUTE
            priced = number % 5 == 0
            tip = Payment(f"{number:032x}", number, fan, at, 500, "tips") if number == 56 else None
            found.append(
                Message(
                    *(
                        fan.id * 1_000 + number * self._spread,
                        at,
                        number % 2 == 0 and not priced,
                        f"number {number}",
                    ),
                    price_cents=1_250 if priced else 0,
                    payment=tip,
                    queue_id=77 if number % 10 == 0 else None,
                )
            )
        return [message for message in found if message.at <= now]


@asynccontextmanager
async def talking(fans: int = 4) -> AsyncIterator[Api]:
    agency = HistoryAgency([*crowd(fans), Row(1, "creator-1", 1, T0 + 300 * MS_PER_DAY, 100)])
    agency.creators[0].chats = FixedChats()
    async with serving(agency) as api:
        yield api


async def walk(api: Api, path: str, **query: str | int) -> list[list[Json]]:
    """The pages of a list that is an array, by `next_page` alone."""
    pages: list[list[Json]] = []
    asked = dict(query)
    while True:
        body = await api.get(path, **asked)
        pages.append(body["data"])
        following = body["_pagination"]["next_page"]
        if following is None:
            return pages
        assert following.startswith(f"https://app.onlyfansapi.com/api/{path}?")
        asked = dict(parse_qsl(following.partition("?")[2]))
        assert len(pages) < 100


async def status(api: Api, path: str, **query: str | int) -> tuple[int, Json]:
    async with await api.ask(path, **query) as response:
        return response.status, await response.json()


async def test_messages_newest_first_without_a_loss_though_pages_come_short() -> None:
    async with talking() as api:
        pages = await walk(api, f"{ACCOUNT}/chats/1000/messages", limit=4)
        ids = [message["id"] for page in pages for message in page]
        assert ids == [1_000_000 + number for number in range(MESSAGES, 0, -1)]
        assert {len(page) for page in pages[:-1]} == {3, 4}
        first = (await api.get(f"{ACCOUNT}/chats/1000/messages"))["data"]
        assert 9 <= len(first) <= 10, "ten where nothing is asked"


async def test_first_id_is_left_out_and_last_id_is_not() -> None:
    async with talking() as api:
        path = f"{ACCOUNT}/chats/1000/messages"
        older = (await api.get(path, limit=2, first_id=1_000_020))["data"]
        assert older[0]["id"] == 1_000_019
        newer = (await api.get(path, limit=2, order="asc", last_id=1_000_020))["data"]
        assert newer[0]["id"] == 1_000_020
        pages = await walk(api, path, order="asc", limit=10)
        ids = [message["id"] for page in pages for message in page]
        assert sorted(set(ids)) == [1_000_000 + number for number in range(1, MESSAGES + 1)]
        assert [page[0]["id"] for page in pages[1:]] == [page[-1]["id"] for page in pages[:-1]]
        assert len(await walk(api, path, order="asc", limit=1)) == MESSAGES


async def test_a_message_as_it_is_shown() -> None:
    async with talking() as api:
        shown = {m["id"]: m for m in (await walk(api, f"{ACCOUNT}/chats/1000/messages", limit=100))[0]}
        hers, his, mass = shown[1_000_005], shown[1_000_002], shown[1_000_010]
        assert (hers["isSentByMe"], hers["price"], hers["isFree"], hers["isOpened"]) == (
            True,
            12.5,
            False,
            False,
        )
        assert (hers["isFromQueue"], hers["queueId"]) == (False, None)
        assert (mass["isFromQueue"], mass["queueId"]) == (True, 77)
        assert (his["isSentByMe"], his["fromUser"], his["isOpened"]) == (
            False,
            {"id": 1_000, "_view": "s"},
            True,
        )
        assert (his["text"], his["createdAt"]) == ("<p>number 2</p>", "2024-01-01T00:02:00+00:00")
        assert [m["id"] for m in shown.values() if m["isTip"]] == [1_000_056]
        named = await api.get(f"{ACCOUNT}/chats/1000/messages", limit=5, skip_users="none")
        assert {m["fromUser"]["username"] for m in named["data"]} == {"fan_1000", "creator_1"}


async def test_chats_by_their_last_message() -> None:
    async with talking(40) as api:
        pages = await walk(api, f"{ACCOUNT}/chats", limit=10)
        ids = [chat["fan"]["id"] for page in pages for chat in page]
        assert ids == [number for number in range(1_039, 999, -1) if number != 1_003]
        old = await walk(api, f"{ACCOUNT}/chats", order="old", limit=100)
        assert [chat["fan"]["id"] for chat in old[0]] == ids[::-1]
        chat = pages[0][0]
        assert chat["lastMessage"]["id"] == 1_039_057
        assert "isSentByMe" not in chat["lastMessage"]
        assert chat["fan"]["subscribedOnData"]["totalSumm"] == 10.39
        assert (chat["unreadMessagesCount"], chat["canSendMessage"]) == (0, True)


async def test_chats_that_are_searched_and_filtered() -> None:
    async with talking(40) as api:
        found = await walk(api, f"{ACCOUNT}/chats", query="FAN_101", limit=100)
        assert sorted(chat["fan"]["id"] for chat in found[0]) == list(range(1_010, 1_020))
        tips = await walk(api, f"{ACCOUNT}/chats", filter="with_tips", limit=100)
        assert len(tips[0]) == 39
        for name in ("pinned", "priority", "unread", "unread_with_tips"):
            assert await walk(api, f"{ACCOUNT}/chats", filter=name) == [[]]
        assert await walk(api, f"{ACCOUNT}/chats/1000/messages", filter="pinned") == [[]]


async def test_a_chat_with_what_nobody_has_answered() -> None:
    rows = [*crowd(2), Row(1, "creator-1", 1, T0 + 3 * MS_PER_DAY, 100)]
    agency = HistoryAgency(rows)
    agency.creators[0].chats = FixedChats()
    async with serving(agency) as api:
        assert api.clock.now() == T0 + 2 * MS_PER_DAY
        fan = agency.creators[0].by_id[1_000]
        fan.began_at = api.clock.now() - 2 * MS_PER_MINUTE
        chats = await walk(api, f"{ACCOUNT}/chats", filter="unread")
        assert [(chat["fan"]["id"], chat["unreadMessagesCount"]) for chat in chats[0]] == [(1_000, 1)]
        assert chats[0][0]["lastReadMessageId"] == 1_000_001
        assert chats[0][0]["lastMessage"]["isNew"] is True


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("chats", {"limit": 101}),
        ("chats", {"limit": 0}),
        ("chats", {"offset": -1}),
        ("chats", {"order": "newest"}),
        ("chats", {"filter": "nice"}),
        ("chats", {"skip_users": "some"}),
        ("chats/1000/messages", {"limit": 101}),
        ("chats/1000/messages", {"order": "recent"}),
        ("chats/1000/messages", {"filter": "unread"}),
        ("chats/1000/messages", {"first_id": "x"}),
        ("notifications", {"type": "some"}),
        ("notifications", {"limit": 0}),
    ],
)
async def test_what_is_refused_with_422(path: str, query: dict[str, str | int]) -> None:
    async with talking() as api:
        code, body = await status(api, f"{ACCOUNT}/{path}", **query)
        assert (code, len(body["errors"])) == (422, 1)


async def test_chats_of_strangers_and_chats_without_a_word() -> None:
    async with talking() as api:
        assert (await status(api, f"{ACCOUNT}/chats/5/messages"))[0] == 404
        assert (await status(api, f"{ACCOUNT}/chats/x/messages"))[0] == 404
        assert await walk(api, f"{ACCOUNT}/chats/1003/messages") == [[]]


async def test_who_may_not_read_chats_is_told_so_as_json() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        for path in (f"{NOVA}/chats", f"{NOVA}/chats/4000001/messages"):
            code, body = await status(api, path)
            assert (code, body["error"]["code"]) == (403, "forbidden")
        assert (await status(api, f"{AMBER}/chats"))[0] == 200
    async with serving(fans=3) as api:
        for path in (f"{ACCOUNT}/chats", f"{ACCOUNT}/chats/1000/messages"):
            assert (await status(api, path))[0] == 403, "a purchase history knows of no messages"


@pytest.mark.parametrize("kind", ["short_page", "empty_page", "shift_page"])
async def test_planted_traps_lose_no_message_and_no_chat(kind: str) -> None:
    async with talking(40) as api:
        api.agency.creators[0].chats = FixedChats(spread=3)
        for path, wanted in ((f"{ACCOUNT}/chats/1000/messages", MESSAGES), (f"{ACCOUNT}/chats", 39)):
            match = {"path": f"/fanapi/api/{path}"}
            api.faults.add("fanapi", kind, match=match, after=1, count=1)
            pages = await walk(api, path, limit=10)
            ids = [item.get("id", item.get("fan", {}).get("id")) for page in pages for item in page]
            assert len(set(ids)) == wanted
            assert (len(ids) > wanted) is (kind == "shift_page")
            assert ([] in pages) is (kind == "empty_page")


async def test_notifications_tell_who_came_and_what_was_bought() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        api.clock.change(advance_ms=MS_PER_DAY)
        found = (await api.get(f"{VIP}/notifications", type="subscriptions", limit=20))["data"]["list"]
        names = (await api.get(f"{VIP}/notifications", limit=100, skip_users="none"))["data"]["list"]
        felix = next(n["user"]["id"] for n in names if n.get("user", {}).get("username") == "felix_arden")
        back = [n for n in found if n["user"] == {"id": felix, "_view": "s"}]
        assert [(n["type"], n["subType"], n["createdAt"]) for n in back] == [
            ("subscribed", "returning_subscriber", "2026-03-02T22:40:00+00:00")
        ]
        assert back[0]["replacePairs"]["{PRICE}"] == "$24.99"
        bought = (await api.get(f"{VIP}/notifications", type="purchases", limit=50))["data"]["list"]
        assert {n["type"] for n in bought} == {"paided_message"}
        linked = next(n for n in bought if "{MESSAGE_LINK}" in n["replacePairs"])
        chat, message = (
            linked["replacePairs"]["{MESSAGE_LINK}"].split("'")[1].split("/")[-1].split("?firstId=")
        )
        messages = [m for page in await walk(api, f"{VIP}/chats/{chat}/messages", limit=100) for m in page]
        opened = next(m for m in messages if m["id"] == int(message))
        assert (opened["isOpened"], opened["changedAt"]) == (True, linked["createdAt"])
        assert linked["replacePairs"]["{AMOUNT}"] == f"${opened['price']:.2f}"
        tips = (await api.get(f"{VIP}/notifications", type="tips"))["data"]["list"]
        assert {n["subType"] for n in tips} == {"new_tips"}
        assert (await api.get(f"{VIP}/notifications", type="likes"))["data"] == {"list": [], "hasMore": False}


async def test_notifications_page_by_the_last_id() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        everything = (await api.get(f"{AMBER}/notifications", limit=100))["data"]
        assert everything["hasMore"] is True
        ids: list[int] = []
        query: dict[str, int] = {}
        while len(ids) < 100:
            page = (await api.get(f"{AMBER}/notifications", **query))["data"]["list"]
            ids += [n["id"] for n in page]
            query = {"from_id": ids[-1]}
        assert ids == [n["id"] for n in everything["list"]]
        assert ids == sorted(set(ids), reverse=True)


async def test_a_deleted_user_is_not_named() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        # His purchases of January are the only ones on her page by somebody without a name.
        found: list[Json] = []
        query: dict[str, str | int] = {"type": "purchases", "limit": 100}
        while True:
            data = (await api.get(f"{FREE}/notifications", **query))["data"]
            found += data["list"]
            if not data["hasMore"]:
                break
            query["from_id"] = found[-1]["id"]
        nameless = [n for n in found if "user" not in n]
        assert {n["replacePairs"]["{AMOUNT}"] for n in nameless} >= {"$75.00"}
        assert {n["replacePairs"]["{SUBSCRIBER_LINK}"] for n in nameless} == {"Deleted user"}


async def test_chats_grow_at_their_end_only() -> None:
    """Nothing turns up later among what was there, and a priced message changes only by being opened."""
    agency = SampleAgency(seed=7)
    amber = agency.creators[0]
    assert isinstance(amber.chats, SampleChats)
    now = agency.start_at
    before = {fan: list(amber.chats.messages(fan, now)) for fan in amber.fans}
    for _ in range(6):
        later = now + 5 * 3_600_000 + 11 * MS_PER_MINUTE
        agency.advance(later)
        for fan in amber.fans:
            grown = list(amber.chats.messages(fan, later))
            old = before.get(fan, [])
            assert [(m.id, m.text, m.price_cents) for m in grown if m.at <= now] == [
                (m.id, m.text, m.price_cents) for m in old
            ]
            for was, has in zip(old, grown, strict=False):
                assert was.payment is None or was.payment is has.payment
                assert has.payment is was.payment or (has.payment is not None and has.payment.at > now)
            before[fan] = grown
        now = later
    assert parse("2026-03-03T15:00:00Z") < now
