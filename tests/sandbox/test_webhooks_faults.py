"""Webhooks that go wrong: planted, by the agency's own tricks, and because nobody takes them."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.faults import FaultError
from bot.sandbox.webhooks import lane
from tests.sandbox.webhook_scene import MONEY, Got, Scene, SmallAgency, buyer, scene

FAST = 100_000.0
"""Eighteen minutes of attempts in eleven milliseconds."""


def days(got: list[Got]) -> list[int]:
    """On which day of March each purchase was made."""
    return [int(one.payload["createdAt"][8:10]) for one in got]


async def buying(told: Scene, purchases: int = 5) -> list[Got]:
    await told.register(MONEY)
    return await told.move(24 * purchases)


async def test_a_duplicate_is_the_same_request_twice() -> None:
    async with scene(SmallAgency([buyer(times=5)])) as told:
        told.faults.add("fanapi", "webhook", after=1, count=2, args={"duplicate": True})
        got = await buying(told)
        assert days(got) == [2, 3, 3, 4, 4, 5, 6]
        assert got[1].raw == got[2].raw
        assert got[1].headers == got[2].headers
        assert all(one.genuine for one in got)


async def test_one_is_held_back_until_after_the_next() -> None:
    async with scene(SmallAgency([buyer(times=5)])) as told:
        told.faults.add("fanapi", "webhook", after=1, args={"reorder": True})
        assert days(await buying(told)) == [2, 4, 3, 5, 6]


async def test_the_last_of_an_advance_is_not_held_back_beyond_it() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.faults.add("fanapi", "webhook", count=9, args={"reorder": True})
        assert days(await buying(told, 3)) == [2, 3, 4]


async def test_a_wrong_signature_is_followed_by_the_right_one() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.faults.add("fanapi", "webhook", args={"bad_signature": True})
        got = await buying(told, 3)
        assert days(got) == [2, 2, 3, 4]
        assert [one.genuine for one in got] == [False, True, True, True]
        assert got[0].raw == got[1].raw
        assert len(got[0].headers["Signature"]) == 64
        first = (await told.deliveries())[-1]
        assert [attempt["status"] for attempt in first["attempts"]] == [401, 204]


async def test_a_dropped_one_never_comes_and_is_in_no_log() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.faults.add("fanapi", "webhook", after=1, args={"drop": True})
        assert days(await buying(told, 3)) == [2, 4]
        assert len(await told.deliveries()) == 2


async def test_the_fan_or_the_key_can_be_left_out() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.faults.add("fanapi", "webhook", args={"no_user": True})
        told.faults.add("fanapi", "webhook", args={"no_key": True})
        nobody, keyless, plain = await buying(told, 3)
        assert not {"user", "fan", "fanData"} & set(nobody.payload)
        assert nobody.key is not None
        assert (keyless.key, keyless.genuine) == (None, True)
        assert {"user", "fan"} & set(plain.payload)


async def test_a_fault_can_be_for_events_of_some_names_only() -> None:
    async with scene(SmallAgency([buyer(times=2)])) as told:
        fault = told.faults.add(
            "fanapi", "webhook", match={"event": "subscriptions.*"}, count=0, args={"drop": True}
        )
        await told.register()
        events = [got.event for got in await told.move(24 * 30)]
        assert events == ["transactions.new"] * 3, "two purchases and a rebill"
        assert fault.to_json()["match"] == {"event": "subscriptions.*"}
        assert fault.fired == 1


@pytest.mark.parametrize(
    ("match", "args"),
    [
        ({}, {}),
        ({}, {"duplicate": False}),
        ({}, {"duplicate": True, "drop": True}),
        ({}, {"drop": "yes"}),
        ({"path": "/x"}, {"drop": True}),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(match: dict[str, str], args: dict[str, object]) -> None:
    async with scene(SmallAgency()) as told:
        with pytest.raises(FaultError):
            told.faults.add("fanapi", "webhook", match=match, args=args)
        assert told.faults.all() == []


async def test_what_fails_is_tried_four_times_with_the_same_key_and_then_given_up() -> None:
    async with scene(SmallAgency([buyer()]), wire_speed=FAST) as told:
        told.receiver.answers = lambda _: 503
        await told.register(MONEY)
        await told.move(1)
        got = await told.receiver.reached(4)
        assert len({one.key for one in got}) == len({one.raw for one in got}) == 1
        delivery = await ended(told)
        assert delivery["status"] == "failed"
        assert [attempt["status"] for attempt in delivery["attempts"]] == [503] * 4


async def test_any_2xx_is_enough_and_a_later_attempt_too() -> None:
    answers = iter([500, 404, 299])
    async with scene(SmallAgency([buyer()]), wire_speed=FAST) as told:
        told.receiver.answers = lambda _: next(answers)
        await told.register(MONEY)
        await told.move(1)
        await told.receiver.reached(3)
        assert (await ended(told))["status"] == "delivered"
        assert next(answers, None) is None


async def ended(told: Scene) -> dict[str, object]:
    """The one delivery, once it is no longer under way."""
    async with asyncio.timeout(20):
        while (delivery := (await told.deliveries())[0])["status"] == "pending":
            pass
    return delivery


async def test_who_answers_too_late_or_is_not_there_has_not_taken_it() -> None:
    async with scene(SmallAgency([buyer(times=2)]), total_s=0.05) as told:
        told.receiver.hold = asyncio.Event()
        await told.register(MONEY)
        await told.move(1)
        told.receiver.hold.set()
        nobody = {"endpoint_url": "http://127.0.0.1:9/webhook"}
        assert (await told.call("PUT", "webhooks/1", nobody))[0] == 200
        await told.move(24)
        assert [made["response_status"] for made in await told.deliveries()] == [None, None]


async def test_an_endpoint_that_fails_twenty_times_in_a_row_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "RETRY_AFTER_S", ())
    async with scene(SmallAgency([buyer(times=70)], price_cents=0)) as told:
        await told.register(MONEY)
        now = mono_of(told)
        status = 500
        told.receiver.answers = lambda _: status
        assert [await sent_in_a_day(told) for _ in range(21)] == [1] * 20 + [0]
        status_of = (await told.call("POST", f"webhooks/1/deliveries/{await newest(told)}/redeliver"))[0]
        assert status_of == 409
        now[0] += 299
        assert await sent_in_a_day(told) == 0
        now[0] += 1
        assert [await sent_in_a_day(told) for _ in range(2)] == [1, 0], "again, and for longer"
        now[0] += 599
        assert await sent_in_a_day(told) == 0, "what comes in a pause is not kept for later"
        now[0] += 1
        status = 200
        assert [await sent_in_a_day(told) for _ in range(3)] == [1, 1, 1]
        status = 500
        assert [await sent_in_a_day(told) for _ in range(21)] == [1] * 20 + [0], "counted anew"


async def sent_in_a_day(told: Scene) -> int:
    """How many came; where none did, it was because of a pause."""
    sent = len(await told.move(24))
    is_paused = await paused(told)
    assert sent or is_paused
    return sent


def mono_of(told: Scene) -> list[float]:
    """Put the pauses' machine time into the test's hands."""
    (only,) = told.webhooks._lanes.values()
    now = [1_000.0]
    only._monotonic = lambda: now[0]
    return now


async def paused(told: Scene) -> bool:
    async with told.client.get("/sandbox/api/webhooks") as answer:
        (shown,) = (await answer.json())["webhooks"]
        return bool(shown["endpoint"]["paused"])


async def newest(told: Scene) -> str:
    return str((await told.deliveries())[0]["id"])


async def test_a_redelivery_has_the_same_key_and_names_what_it_repeats() -> None:
    async with scene(SmallAgency([buyer(times=2)])) as told:
        await told.register(MONEY)
        (first,) = await told.move(1)
        number = await newest(told)
        status, answer = await told.call("POST", f"webhooks/1/deliveries/{number}/redeliver")
        assert (status, answer["data"]["redelivery_of"]) == (200, number)
        again = (await told.receiver.reached(2))[1]
        assert (again.raw, again.key, again.genuine) == (first.raw, first.key, True)
        assert again.headers["X-OFAPI-Redelivery-Of"] == number
        assert (await told.call("POST", "webhooks/1/deliveries/del_9_9/redeliver"))[0] == 404
        await told.call("PUT", "webhooks/1", {"enabled": False})
        status, answer = await told.call("POST", f"webhooks/1/deliveries/{number}/redeliver")
        assert (status, answer["error"]["code"]) == (409, "webhook_disabled")


async def shown_troubles(told: Scene) -> list[tuple[str, str | None]]:
    async with told.client.get("/sandbox/api/webhooks") as answer:
        (shown,) = (await answer.json())["webhooks"]
        return [(made["idempotency_key"], made["trouble"]) for made in shown["deliveries"]]


async def test_the_sample_plays_its_tricks_by_itself_the_same_on_the_same_seed() -> None:
    async def week(seed: int) -> tuple[list[Got], list[tuple[str, str | None]]]:
        async with scene(SampleAgency(seed=seed), tricked=True, seed=seed) as told:
            return await told.move(24 * 4), await shown_troubles(told)

    got, troubles = await week(7)
    assert ([one.raw for one in got], troubles) == (lambda made: ([one.raw for one in made[0]], made[1]))(
        await week(7)
    )
    kinds = [kind for _, kind in troubles]
    real = [kind for kind in kinds if kind != "forged"]
    assert len(real) > 200
    for kind, every in (("duplicate", 10), ("reorder", 15), ("forged", 40)):
        assert kinds.count(kind) in near(len(real) / every), kind
    forged = [one for one in got if not one.genuine]
    assert {one.event for one in forged} == {"subscriptions.expired"}
    genuine = [one for one in got if one.genuine]
    keys = [one.key for one in genuine]
    assert len(keys) - len(set(keys)) == kinds.count("duplicate")
    for one in forged:
        after = got[got.index(one) + 1 :]
        assert any(later.genuine and later.key == one.key for later in after), "the key of one that comes yet"
    times = [one.payload["createdAt"] for one in genuine if "createdAt" in one.payload]
    assert times != sorted(times)


def near(expected: float) -> range:
    return range(int(expected), int(expected) + 2)


async def test_nobody_who_registers_by_themselves_is_tricked() -> None:
    async with scene(SmallAgency([buyer(times=80)], price_cents=0)) as told:
        got = await buying(told, 80)
        assert len(got) == len({one.key for one in got}) == 80
        assert all(one.genuine for one in got)


async def test_what_comes_beyond_the_queue_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "QUEUED_AT_MOST", 3)
    async with scene(SmallAgency([buyer(times=6)], price_cents=0)) as told:
        assert days(await buying(told, 6)) == [2, 3, 4]
        assert [made["status"] for made in await told.deliveries()] == ["failed"] * 3 + ["delivered"] * 3
        assert len(await told.move(24)) == 0


async def test_who_takes_back_a_registration_is_not_waited_for() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.receiver.hold = asyncio.Event()
        await told.register(MONEY)
        moving = asyncio.create_task(told.clock.move(3 * 86_400_000))
        await told.receiver.reached(1)
        assert (await told.call("DELETE", "webhooks/1"))[0] == 200
        assert await asyncio.wait_for(moving, 20) == 2
        told.receiver.hold.set()
        assert len(told.receiver.got) == 1
