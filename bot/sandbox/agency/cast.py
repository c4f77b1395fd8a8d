"""People placed in the sample agency on purpose, at fixed times whatever the seed.

docs/sandbox.md says what is to come of each; tests/sandbox/test_cast.py holds them to it. Scores below are the
reference formula's.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.agency.person import Habit, Person, Purchase, Said

LEAVING = Person(
    page="vivian-vip",
    username="quentin_hale",
    name="Quentin Hale",
    subscribed=("2025-11-05T09:00:00Z",),
    bought=(
        Purchase("2025-11-12T21:10:00Z", 2_000),
        Purchase("2025-11-28T22:05:00Z", 7_500),
        Purchase("2025-12-14T20:40:00Z", 7_500),
        Purchase("2025-12-27T23:15:00Z", 2_550, "tips"),
        Purchase("2026-01-08T21:30:00Z", 7_500),
        Purchase("2026-01-16T22:20:00Z", 7_500),
        Purchase("2026-01-25T20:55:00Z", 2_000, "tips"),
        Purchase("2026-02-22T20:00:00Z", 1_000),
    ),
    rebill_off=("2026-03-02T08:30:00Z",),
)
"""Rebill goes off with three days left, half an hour after the start, so that an hourly poll sees it at
09:00.

At the start he has 53: 30 for spending less than half of the month before, 28 for seven quiet days, less 5
for an engagement of 25. With `expiring_soon` it is 93.
"""

SILENT_WHALE = Person(
    page="amber",
    username="magnus_thorne",
    name="Magnus Thorne",
    subscribed=("2025-06-20T18:00:00Z",),
    bought=(Purchase("2025-07-10T21:00:00Z", 7_500, times=70, every_days=3),),
    seen=("2026-02-21T10:20:00Z",),
)
"""Over $5,300 in all, and next to nothing since February began. He has 59.8 in the ninth day of silence and 64.4
in the tenth, from 10:20 on.
"""

LOYAL = Person(
    page="vivian-vip",
    username="walter_brook",
    name="Walter Brook",
    subscribed=("2025-05-22T17:00:00Z",),
    bought=(Purchase("2025-07-04T20:00:00Z", 1_000), Purchase("2025-11-19T19:45:00Z", 1_000, "tips")),
    habits=(Habit("2025-06-01T19:30:00Z", every_days=12),),
)
"""Pays every month, looks in every twelve days and buys nothing more: below 40 at all times."""

NEVER_PAYER = Person(
    page="freya-free",
    username="oscar_dimm",
    name="Oscar Dimm",
    subscribed=("2025-12-10T12:00:00Z",),
    seen=("2025-12-10T12:00:00Z", "2026-01-31T07:30:00Z"),
)
"""Silent for 30 days at the start: 70, for a fan who has never paid anything."""

BINGE_BUYER = Person(
    page="amber",
    username="bruno_castell",
    name="Bruno Castell",
    subscribed=("2025-10-23T20:00:00Z",),
    bought=(
        Purchase("2025-11-15T22:00:00Z", 2_000, times=2, every_days=20),
        Purchase("2026-01-08T22:00:00Z", 7_500, times=10, every_days=2),
        Purchase("2026-02-04T22:00:00Z", 2_000, times=2, every_days=9),
    ),
    habits=(
        Habit("2025-10-24T21:40:00Z", every_days=1),
        Habit("2026-03-08T22:00:00Z", every_days=9, cents=2_000),
    ),
)
"""$750 in January, $40 in February, and there every evening: 24 at the most."""

RESUBSCRIBER = Person(
    page="vivian-vip",
    username="felix_arden",
    name="Felix Arden",
    subscribed=("2025-12-02T15:20:00Z", "2026-03-02T22:40:00Z"),
    bought=(
        Purchase("2025-12-20T21:00:00Z", 2_000),
        Purchase("2026-01-12T22:30:00Z", 2_000),
        Purchase("2026-02-10T21:15:00Z", 2_000),
    ),
    rebill_off=("2026-02-24T11:00:00Z",),
    seen=("2026-02-28T22:00:00Z", "2026-03-02T22:40:00Z"),
    habits=(Habit("2026-03-05T21:00:00Z", every_days=2),),
)
"""Expires on the first day at 15:20 and is back the same night. He has 34 at the start."""

CHARGED_BACK = Person(
    page="amber",
    username="gideon_farrow",
    name="Gideon Farrow",
    subscribed=("2025-09-09T10:00:00Z",),
    bought=(
        Purchase("2025-10-02T20:30:00Z", 2_000, times=6, every_days=21),
        Purchase("2026-02-12T20:30:00Z", 2_000),
        Purchase("2026-02-18T21:00:00Z", 7_500, taken_back_at="2026-03-02T13:00:00Z"),
    ),
    habits=(
        Habit("2025-09-10T20:00:00Z", every_days=1),
        Habit("2026-03-02T17:10:00Z", every_days=21, cents=2_000),
    ),
)
"""The bank takes $75 back on the first day. He buys again that evening, so that a poll looks at him and sees it."""

_ONE_PERSON_ID = 9_000_001
ONE_PERSON = (
    Person(
        page="amber",
        username="dexter_vane",
        name="Dexter Vane",
        fan_id=_ONE_PERSON_ID,
        subscribed=("2025-11-14T08:30:00Z",),
        habits=(
            Habit("2025-11-14T22:10:00Z", every_days=1),
            Habit("2025-11-20T22:20:00Z", every_days=10, cents=2_000),
        ),
    ),
    Person(
        page="freya-free",
        username="dexter_vane",
        name="Dexter Vane",
        fan_id=_ONE_PERSON_ID,
        subscribed=("2025-12-01T09:30:00Z",),
        habits=(
            Habit("2025-12-01T21:50:00Z", every_days=1),
            Habit("2025-12-07T21:55:00Z", every_days=15, cents=1_000),
        ),
    ),
)
"""The same account on two pages: ids of users are the platform's, not the page's."""

BLOCKED = Person(
    page="amber",
    username="hugo_strand",
    name="Hugo Strand",
    subscribed=("2025-11-06T12:00:00Z",),
    bought=(
        Purchase("2025-12-03T21:00:00Z", 7_500),
        Purchase("2026-01-10T21:00:00Z", 7_500, times=2, every_days=8),
    ),
    rebill_off=("2026-02-28T09:00:00Z",),
    seen=("2026-02-20T19:00:00Z",),
    is_blocked=True,
)
"""100: on the way out, silent, spending nothing. She has blocked him."""

PERFORMER = Person(
    page="vivian-vip",
    username="ruby_sterling",
    name="Ruby Sterling",
    subscribed=("2025-11-06T16:00:00Z",),
    bought=(
        Purchase("2025-12-05T23:00:00Z", 7_500),
        Purchase("2026-01-09T23:00:00Z", 7_500, times=2, every_days=7),
    ),
    rebill_off=("2026-02-27T16:30:00Z",),
    seen=("2026-02-19T23:00:00Z",),
    is_performer=True,
)
"""100 as well, and a creator herself."""

DELETED = Person(
    page="freya-free",
    username=None,
    name=None,
    subscribed=("2025-11-07T14:00:00Z",),
    bought=(Purchase("2026-01-10T20:00:00Z", 7_500, times=2, every_days=10),),
    rebill_off=("2026-02-27T14:00:00Z",),
    seen=("2026-02-19T20:00:00Z",),
    can_receive_messages=False,
)
"""100, of an account that is gone: no name, and nobody reads messages there."""

HOSTILE = Person(
    page="amber",
    username="@everyone_**x**[y](https://evil.example)",
    name="\u202egnp.exe\u202c\u200f <@&1> `@here` ||# *FREE*|| https://evil.example",
    subscribed=("2025-12-04T00:30:00Z",),
    bought=(
        Purchase("2025-12-20T20:30:00Z", 2_000),
        Purchase("2026-01-10T20:30:00Z", 7_500, times=2, every_days=9),
        Purchase("2026-02-22T20:00:00Z", 1_000),
    ),
    rebill_off=("2026-03-02T11:30:00Z",),
)
"""Rebill goes off with a day and a half left; a poll sees it at 12:00, and 53 become 93. The name pings everybody,
turns its letters around and links elsewhere, if it is let.
"""

PROMISED = Person(
    page="amber",
    username="owen_lark",
    name="Owen Lark",
    subscribed=("2025-12-18T19:00:00Z",),
    habits=(
        Habit("2025-12-18T20:15:00Z", every_days=1),
        Habit("2025-12-22T20:20:00Z", every_days=9, cents=2_000),
    ),
    said=(
        Said("2026-02-27T20:16:00Z", "how did the shoot at the lake go?"),
        Said("2026-02-27T20:21:00Z", "so well! we took far too many pictures", by_fan=False),
        Said("2026-03-01T20:16:00Z", "did the pictures from the lake come out?"),
        Said("2026-03-01T20:19:00Z", "they did, I am sorting them right now", by_fan=False),
        Said("2026-03-01T20:20:00Z", "could I see the one in the red dress?"),
        Said("2026-03-01T20:24:00Z", "I promise you will have it by tomorrow evening", by_fan=False),
        Said("2026-03-01T20:25:00Z", "I am counting on it :)"),
    ),
)
"""Promised a picture by the evening of the first day; he comes and pays whatever becomes of it."""

_PAID = "2026-02-21T22:50:00Z"
WAITING_FOR_CUSTOM = Person(
    page="vivian-vip",
    username="silas_penn",
    name="Silas Penn",
    subscribed=("2025-11-22T21:00:00Z",),
    habits=(
        Habit("2025-11-22T22:45:00Z", every_days=1),
        Habit("2025-11-29T22:50:00Z", every_days=12, cents=7_500),
    ),
    said=(
        Said("2026-02-21T22:46:00Z", "could you film a birthday greeting for me? three minutes"),
        Said("2026-02-21T22:48:00Z", "gladly! that is $75, and you have it within five days", by_fan=False),
        Said(
            "2026-02-21T22:49:00Z",
            "Your custom: birthday greeting",
            by_fan=False,
            cents=7_500,
            opened_at=_PAID,
        ),
        Said("2026-02-21T22:51:00Z", "paid! please say my name in it"),
        Said("2026-02-21T22:55:00Z", "noted, you will love it", by_fan=False),
        Said("2026-02-27T22:47:00Z", "is my video ready?"),
        Said("2026-03-01T22:47:00Z", "hello? it was for the weekend"),
    ),
)
"""A custom he ordered and paid on 21 February, due on the 26th: at the start it is four days late."""

_CHATTER = (
    *(
        "hey hey",
        "what are you doing?",
        "why so quiet today",
        "send me something nice?",
        "for free of course",
    ),
    *("come on", "I tell you about my day then", "so I got up late", "and had coffee", "two coffees"),
)
TIME_WASTER = Person(
    page="freya-free",
    username="milo_tatter",
    name="Milo Tatter",
    subscribed=("2025-06-10T10:00:00Z",),
    habits=(Habit("2025-06-10T10:05:00Z", every_days=1), Habit("2025-06-10T23:05:00Z", every_days=1)),
    said=(
        *(
            Said(f"2025-12-03T{hour}:{minute:02}:20Z", text, every_days=1)
            for hour in (10, 23)
            for minute, text in enumerate(_CHATTER, start=5)
        ),
        Said("2025-12-03T23:09:00Z", "there is a new set in your inbox :)", by_fan=False, every_days=1),
        Said("2025-12-03T23:30:00Z", "Only for you", by_fan=False, cents=1_000, every_days=7),
    ),
)
"""There twice a day for nine months with twenty messages, and has never paid or opened anything."""

CAST = (
    *(LEAVING, SILENT_WHALE, LOYAL, NEVER_PAYER, BINGE_BUYER, RESUBSCRIBER, CHARGED_BACK, *ONE_PERSON),
    *(BLOCKED, PERFORMER, DELETED, HOSTILE, PROMISED, WAITING_FOR_CUSTOM, TIME_WASTER),
)


@dataclass(frozen=True, slots=True)
class Outage:
    """The platform ends a page's session at `starts`; she is connected again at `ends`."""

    page: str
    starts: str
    ends: str


OUTAGE = Outage("freya-free", "2026-03-02T11:00:00Z", "2026-03-02T13:30:00Z")
