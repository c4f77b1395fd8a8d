"""What webhooks say, with the vendor's traps."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.agency.model import Fan, Period, Unsent, Wrote
from bot.sandbox.agency.person import Habit, Person, Purchase
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE
from tests.sandbox.agency_client import Json
from tests.sandbox.webhook_scene import ACCOUNT, START, Got, Scene, SmallAgency, scene

CREATOR_NUMBER = 910_001


def comes_and_goes(name: str = "alpha", *, again: str | None = None) -> Person:
    """Subscribed until 3 March, 09:00; rebill goes off in time."""
    begins = ("2026-02-01T09:00:00Z", *([again] if again else []))
    return Person("ava", name, name.title(), begins, rebill_off=("2026-02-20T00:00:00Z",))


async def named(told: Scene, name: str, hours: float) -> list[Got]:
    return [got for got in await told.move(hours) if got.event == name]


async def test_a_subscription_names_the_creator_above_and_the_fan_below() -> None:
    people = [Person("ava", "alpha", "Al & <b>", ("2026-03-02T10:00:00Z",))]
    async with scene(SmallAgency(people)) as told:
        await told.register()
        (got,) = await named(told, "subscriptions.new", 3)
        payload = got.payload
        assert payload.pop("id").isdecimal()
        assert payload == {
            "type": "subscribed",
            "subType": "new_subscriber",
            "createdAt": "2026-03-02T10:00:00+00:00",
            "text": "{SUBSCRIBER_LINK} subscribed for {PRICE}",
            "isRead": False,
            "user_id": CREATOR_NUMBER,
            "user": {"id": 1001, "name": "Al & <b>", "username": "alpha"},
            "replacePairs": {
                "{SUBSCRIBER_LINK}": "<a href='https://onlyfans.com/alpha'>Al &amp; &lt;b&gt;</a>",
                "{PRICE}": "$9.99",
            },
        }


async def test_who_comes_back_renews_or_tries_for_nothing_is_told_apart() -> None:
    people = [
        comes_and_goes("alpha", again="2026-03-05T10:00:00Z"),
        Person("ava", "beta", "Beta", ("2026-02-04T12:00:00Z",)),
    ]
    agency = SmallAgency(people)
    trying = Fan(id=7, username="gamma", name="Gamma", began_at=START, price_cents=0)
    agency.timeline.plan(START + MS_PER_HOUR, lambda at: tries(agency, trying, at))
    async with scene(agency) as told:
        await told.register()
        got = await told.move(24 * 7)
        kinds = [
            (one.event, one.payload["subType"])
            for one in got
            if one.event.startswith("subscriptions.") and "subType" in one.payload
        ]
        assert kinds == [
            ("subscriptions.new", "new_subscriber_trial"),
            ("subscriptions.new", "returning_subscriber"),
            ("subscriptions.renewed", "renewed"),
        ]


def tries(agency: SmallAgency, fan: Fan, at: int) -> None:
    agency.ava.add_fan(fan)
    fan.subscribed, fan.subscribed_since = True, at
    agency.ava.open_period(fan, Period(at, at + 7 * MS_PER_DAY, 0))


async def test_an_expiry_is_told_a_quarter_of_an_hour_late_even_of_who_is_back_by_then() -> None:
    people = [comes_and_goes("alpha"), comes_and_goes("beta", again="2026-03-03T09:05:00Z")]
    async with scene(SmallAgency(people)) as told:
        await told.register()
        assert await named(told, "subscriptions.expired", 25) == []
        assert [got.event for got in await told.move(14 / 60)] == ["subscriptions.new", "transactions.new"]
        got = await told.move(2 / 60)
        assert [one.body for one in got] == [
            {
                "event": "subscriptions.expired",
                "account_id": ACCOUNT,
                "payload": {
                    "id": f"{fan_id}:2026-03-03",
                    "user": {"id": fan_id},
                    "expiredAt": "2026-03-03T09:00:00+00:00",
                    "createdAt": "2026-03-03T09:15:00+00:00",
                },
            }
            for fan_id in (1001, 1002)
        ]


async def test_a_transaction_is_the_one_of_the_list_with_the_fan_under_one_of_two_names() -> None:
    bought = Purchase("2026-03-02T09:00:00Z", 1_250, "post", times=40)
    person = Person("ava", "alpha", "Alpha", ("2026-03-01T00:00:00Z",), bought=(bought,))
    async with scene(SmallAgency([person])) as told:
        await told.register(["transactions.new"])
        got = [one.payload for one in await told.move(24 * 40)]
        listed = await transactions(told)
        assert [one["id"] for one in got] == [row["id"] for row in reversed(listed)]
        for one, row in zip(got, reversed(listed), strict=True):
            data = one.pop("fanData", None)
            assert one.pop("fan", None) or one.pop("user")
            assert {**one, "status": None} == {
                name: None if name == "status" else value for name, value in row.items() if name != "user"
            }
            assert data is None or set(data) == {"spending"}
        again = [one.payload for one in told.receiver.got]
        assert 0 < sum("fan" in one for one in again) < len(again) / 2
        with_data = [one for one in again if "fanData" in one]
        assert len(again) / 2 < len(with_data) < len(again)
        totals = [one["fanData"]["spending"]["total"] for one in with_data]
        assert totals == sorted(totals), "what had been spent at the time, not at the end"
        assert totals[0] < totals[-1]


async def transactions(told: Scene) -> list[Json]:
    path = f"{ACCOUNT}/transactions?limit=100&startDate=2026-03-02"
    return list((await told.call("GET", path))[1]["data"]["list"])


async def test_what_is_paid_in_a_chat_is_told_twice_and_names_fan_and_message_in_a_link() -> None:
    bought = (
        Purchase("2026-03-02T09:00:00Z", 1_200, "chat_messages", times=20),
        Purchase("2026-03-02T10:00:00Z", 500, "tips"),
    )
    person = Person("ava", None, None, ("2026-03-01T00:00:00Z",), bought=bought)
    async with scene(SmallAgency([person])) as told:
        await told.register()
        got = await told.move(24 * 20)
        unlocked = [one.payload for one in got if one.event == "messages.ppv.unlocked"]
        assert len(unlocked) == 20
        link = re.compile(r"<a href='https://onlyfans\.com/my/chats/chat/1001\?firstId=(\d+)'>message</a>")
        messages = {link.fullmatch(one["replacePairs"]["{MESSAGE_LINK}"]) for one in unlocked}
        assert None not in messages
        assert {one["replacePairs"]["{AMOUNT}"] for one in unlocked} == {"$12.00"}
        assert {one["user_id"] for one in unlocked} == {CREATOR_NUMBER}
        assert 0 < sum("user" not in one for one in unlocked) < 20
        (tip,) = [one.payload for one in got if one.event == "tips.received"]
        assert (tip["subType"], tip["user"]) == ("new_tips", {"id": 1001})
        assert sum(one.event == "transactions.new" for one in got) == 21


async def test_messages_are_passed_on_with_who_wrote_or_whom_they_went_to() -> None:
    agency = SmallAgency([Person("ava", "alpha", "Alpha", ("2026-03-01T00:00:00Z",))])
    fan = agency.ava.by_id[1001]
    body = {"id": 5_550_001, "text": "<p>hi</p>", "price": 0, "fromUser": {"id": 1001, "_view": "s"}}
    at = START + MS_PER_MINUTE
    agency.timeline.plan(at, lambda _: agency.ava.tell(Wrote(at, fan, True, body)))
    agency.timeline.plan(at, lambda _: agency.ava.tell(Wrote(at, fan, False, body | {"id": 5_550_002})))
    agency.timeline.plan(at, lambda _: agency.ava.tell(Unsent(at, "5550001")))
    async with scene(agency) as told:
        await told.register()
        received, sent, deleted = await told.move(1)
        assert [received.event, sent.event] == ["messages.received", "messages.sent"]
        assert received.payload["fromUser"] == {
            "id": 1001,
            "name": "Alpha",
            "username": "alpha",
            "subscribedOn": True,
            "subscribedOnDuration": "1 month",
        }
        assert sent.payload["toUser"] == {"id": 1001}
        assert (deleted.event, deleted.payload) == ("messages.deleted", {"id": "5550001"})


async def test_the_sample_tells_what_its_chats_hold() -> None:
    async with scene(SampleAgency(seed=7)) as told:
        await told.register(["messages.received", "messages.sent", "messages.ppv.unlocked"])
        got = [one for _ in range(6) for one in await told.move(1)]
        events = [one.event for one in got]
        assert events.count("messages.received") > 20
        assert events.count("messages.sent") > 5
        assert len({one.key for one in got}) == len(got)
        creators = {creator.account_id: creator for creator in told.agency.creators}
        for one in got:
            creator, payload = creators[one.body["account_id"]], one.payload
            assert creator.chats is not None
            fan_id = (payload["toUser"] if one.event == "messages.sent" else payload.get("fromUser", {})).get(
                "id"
            )
            if one.event == "messages.ppv.unlocked":
                link = re.search(r"chat/(\d+)\?firstId=(\d+)", payload["replacePairs"]["{MESSAGE_LINK}"])
                assert link is not None
                fan_id, payload["id"] = int(link[1]), int(link[2])
            chat = creator.chats.messages(creator.by_id[fan_id], told.clock.now())
            (message,) = [message for message in chat if message.id == payload["id"]]
            assert message.from_fan is (one.event == "messages.received")


async def test_presence_comes_on_request_only_and_without_a_key() -> None:
    habit = Habit("2026-03-02T09:00:00Z", 1)
    person = Person("ava", "alpha", "Alpha", ("2026-03-01T00:00:00Z",), habits=(habit,))
    async with scene(SmallAgency([person])) as told:
        await told.register()
        assert await told.move(5) == []
        await told.register(["users.online"])
        got = await told.move(24 * 2)
        assert [one.event for one in got] == ["users.online"] * 2
        assert {one.key for one in got} == {None}
        assert [set(one.payload) for one in got] in (
            [{"id", "lastSeen"}, {"user", "lastSeen"}],
            [{"user", "lastSeen"}, {"id", "lastSeen"}],
        )


@pytest.mark.parametrize("planted", [False, True])
async def test_while_a_session_is_out_nothing_but_late_expiries_comes_through(planted: bool) -> None:
    bought = Purchase("2026-03-03T09:30:00Z", 500, "post", times=4)
    agency = SmallAgency(
        [
            comes_and_goes("alpha"),
            Person("ava", "beta", "Beta", ("2026-02-28T00:00:00Z",), bought=(bought,)),
            Person(
                *("ava", "gamma", "Gamma", ("2026-02-02T09:00:00Z",)),
                rebill_off=("2026-02-20T00:00:00Z",),
            ),
        ]
    )
    out, back = START + 12 * MS_PER_HOUR, START + (25 + 48) * MS_PER_HOUR + MS_PER_HOUR
    if not planted:
        agency.timeline.plan(out, lambda at: agency.ava.connect(False, at))
        agency.timeline.plan(back, lambda at: agency.ava.connect(True, at))
    async with scene(agency) as told:
        await told.register()
        got = await told.move(12)
        fault = None
        if planted:
            fault = told.faults.add("fanapi", "session_expired", args={"account": "ava"})
            got += await told.move(0)
        assert [one.event for one in got] == ["accounts.session_expired"]
        assert set(got[0].payload) == {"state", "progress", "latestAuthAttempt"}
        assert await told.move(61) == [], "the vendor sees nothing"
        got = await told.move(1)
        if fault is not None:
            told.faults.remove(fault.id)
            got += await told.move(0)
        assert [one.event for one in got] == ["accounts.reconnected", "subscriptions.expired"]
        assert got[1].payload["id"] == "1003:2026-03-04", "only the last 48 hours are caught up"
        assert [one.event for one in await told.move(24)] == ["transactions.new"]
