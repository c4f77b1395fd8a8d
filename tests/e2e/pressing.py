"""One sensible press of every button, menu and form there is, about things of luna or about nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.app import _features
from bot.discord_ui.threads import FanThreads
from bot.domain.base36 import encode
from bot.domain.models import AccessTier
from bot.domain.playbooks import REASONS, reason_for
from bot.services.creator_results import account_token
from storage.episodes import decode_reasons
from tests.bot.discord_ui.fakes import fake_services
from tests.e2e.harness import Json, Reply
from tests.e2e.noting import note
from tests.e2e.office import HOUR_S, Office, button
from tests.e2e.reading import live_cards
from tests.e2e.refusing import HOME, told

FAN, FAN_ID, WON_BACK, WON_BACK_ID = "fan_1001", "1001", "fan_2488", "2488"
HELD = "fan_3102"
NONCE = "abcdefgh"
MISSING = 4_242


def needed() -> dict[str, dict[str, AccessTier]]:
    """Of the verbs of "press" and of "form": who may use each, as the bot itself has it."""
    services: Any = fake_services()
    features = _features(services, FanThreads(services.threads, services.fans))
    return {
        "press": {verb: one.needs for feature in features for verb, one in feature.verbs.items()},
        "form": {verb: one.needs for feature in features for verb, one in feature.forms.items()},
    }


@dataclass(frozen=True, slots=True)
class Things:
    """Ids in the bot's database, and where they are Discord's, of what is pressed about."""

    alert: int = MISSING
    group: int = MISSING
    baseline: int = MISSING
    notice: int = MISSING
    digest: int = MISSING
    episode: int = MISSING
    fan: int = MISSING
    other_fan: int = MISSING
    note: int = MISSING
    winback: int = MISSING
    closed_winback: int = MISSING
    spread: int = MISSING
    followup: int = MISSING
    followup_due_s: int = MISSING
    other_followup: int = MISSING
    playbook: int = MISSING
    alert_playbook: int = 0
    mute: int = MISSING
    hold: int = MISSING
    quiet: int = MISSING
    drill: int = MISSING
    creator: int = MISSING
    change: int = MISSING
    action: int = MISSING
    handover: int = MISSING
    left: int = MISSING
    shift: int = MISSING
    person: int = MISSING
    lead: int = MISSING
    who: int = MISSING
    """Whoever presses most of it: what is one's own."""
    channel: int = MISSING
    home: int = MISSING
    role: int = MISSING
    tier: str = "nobody"
    account: str = "acct_none"
    fan_name: str = "fan_999999"
    zone: str = "Mars/Olympus"


@dataclass(frozen=True, slots=True)
class Way:
    """`target` and `arg` of a custom_id, with what a menu or a form holds."""

    target: str
    arg: str | None = None
    values: Sequence[str] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)

    def custom_id(self, verb: str) -> str:
        return f"fw1:{verb}:{self.target}" + (f":{self.arg}" if self.arg is not None else "")


def ways(t: Things) -> dict[str, dict[str, Way]]:
    """Of every verb of "press" and of "form" one press, in an order in which each finds what it needs."""
    card, episode = f"a{encode(t.alert)}", encode(t.episode)
    alone = f"i{episode}"
    queue, fan, creator = f"q{encode(t.creator)}", f"f{encode(t.fan)}", f"c{encode(t.creator)}"
    a_note, winback, spread = f"t{encode(t.note)}", f"w{encode(t.winback)}", f"e{encode(t.spread)}"
    alert, followup, other = f"i{episode}", f"y{encode(t.followup)}", f"y{encode(t.other_followup)}"
    token, person, asleep = account_token(t.account), str(t.person), alert
    digest = f"d{encode(t.digest)}"
    mute, hold, quiet = (f"j{encode(one)}" for one in (t.mute, t.hold, t.quiet))
    return {
        "press": {
            "claim": Way(card, episode),
            "release": Way(card, episode),
            "snooze": Way(card, episode),
            "snooze_for": Way(asleep, "1h"),
            "snooze_other": Way(asleep),
            "wake": Way(card, episode),
            "page": Way(f"g{encode(t.group)}", "0"),
            "top": Way(f"s{encode(t.baseline)}", "0"),
            "details": Way(f"n{encode(t.notice)}"),
            "calm_list": Way(queue, "0"),
            "mute_end": Way(mute),
            "hold_end": Way(hold),
            "quiet_end": Way(quiet),
            "quiet_mine": Way(f"p{encode(t.who)}"),
            "drill_ok": Way(f"n{encode(t.drill)}"),
            "queue": Way(queue, "m0"),
            "queue_claim": Way(queue, f"m0-{episode}"),
            "queue_release": Way(queue, f"m0-{episode}"),
            "undo_action": Way(f"x{encode(t.action)}"),
            "pick_queue_sort": Way(queue, None, ["risk"]),
            "digest_queue": Way(digest),
            "digest_left": Way(digest, "0"),
            "digest_claim": Way(digest, f"0-{episode}"),
            "digest_release": Way(digest, f"0-{episode}"),
            # Which gives the claim back, for [Release] of /my.
            "undo_last": Way(f"i{episode}"),
            "my_release": Way(f"p{episode}", encode(t.person)),
            "pick_fan": Way("p0", None, [f"f:{encode(t.fan)}"]),
            "thread": Way(card, episode),
            "note": Way(card, episode),
            "more": Way(card, episode),
            "more_back": Way(alone, episode),
            "pick_episode": Way(queue, None, [episode]),
            "why": Way(alone, episode),
            "contact": Way(alone, episode),
            "not_useful": Way(alone, episode),
            "useful": Way(alone, episode),
            "more_claim": Way(alone, episode),
            "done": Way(card, episode),
            "more_release": Way(alone, episode),
            "pick_assignee": Way(alone, episode, [person]),
            "take_over": Way(alone, episode),
            "take_over_yes": Way(alone, encode(t.person)),
            "note_list": Way(fan, "0"),
            "note_open": Way(a_note, "0"),
            "note_history": Way(a_note),
            "note_version": Way(a_note, "1"),
            "note_edit": Way(a_note),
            "note_delete": Way(a_note),
            "note_restore": Way(a_note),
            "take_page": Way(f"h{encode(t.handover)}", "0"),
            "take_one": Way(f"h{encode(t.handover)}", encode(t.left)),
            "take_all": Way(f"h{encode(t.handover)}"),
            "shift_who": Way(queue, "0"),
            "shift_plan": Way(creator, "0"),
            "shift_unplan": Way(f"k{encode(t.shift)}"),
            "my_work": Way(f"p{encode(t.person)}", "0"),
            "wb_candidates": Way(queue, "a-0-0-0"),
            "wb_assign": Way(f"f{encode(t.other_fan)}"),
            "pick_wb_who": Way(f"f{encode(t.other_fan)}", None, [str(t.lead)]),
            "wb_spread": Way(queue, "a-0-0-2"),
            "wb_list": Way(queue, f"o-{encode(t.person)}-0"),
            "wb_done": Way(winback),
            "wb_undo": Way(f"w{encode(t.closed_winback)}"),
            "wb_spread_stop": Way(spread),
            "wb_spread_undo": Way(spread),
            "playbook": Way(alert),
            "tick": Way(alert, f"{t.alert_playbook}-0-0-1"),
            "followup": Way(alert),
            "fu_list": Way(queue, f"{encode(t.creator)}-{encode(t.person)}-0"),
            "fu_take": Way(followup),
            "fu_tomorrow": Way("n1", f"{encode(t.followup)}-{encode(t.followup_due_s)}"),
            "fu_done": Way(followup),
            "fu_withdraw": Way(other),
            "undo_setting": Way(creator, encode(t.change)),
            "retire_no": Way(creator),
            "revert": Way(f"s{encode(t.baseline)}"),
            "revert_yes": Way(f"s{encode(t.baseline)}"),
            "setup": Way("u0", "roles"),
            "setup_zone": Way("u0"),
            "setup_finish": Way("u0"),
            "setup_make": Way("u0", token),
            "pick_roles": Way("u0", t.tier, [str(t.role)]),
            "pick_notices": Way("u0", None, [str(t.home)]),
            "pick_account": Way("u0", None, [token]),
            "pick_creator": Way("u0", None, [encode(t.creator)]),
            "pick_channel": Way("u0", token, [str(t.channel)]),
            "pick_team": Way("u0", token, [str(t.role)]),
            "pick_move": Way(creator, None, [str(t.channel)]),
            "pick_chatter": Way(creator, None, [person]),
            "pick_lead": Way(creator, None, [str(t.lead)]),
            "retire_yes": Way(creator),
        },
        "form": {
            # One of those that were taken over from a hand-over.
            "done": Way(
                f"i{encode(t.left)}",
                NONCE,
                fields={"outcome": ["kept"], "mood": ["cold"], "note": "Came back"},
            ),
            "note_add": Way(fan, NONCE, fields={"text": "Likes trains"}),
            "note_edit": Way(a_note, f"1-{NONCE}", fields={"text": "Likes ships"}),
            "note_save": Way(fan, f"1a2b-{NONCE}", fields={"fan": t.fan_name, "text": "Likes planes"}),
            "wb_spread": Way(
                queue,
                f"a-0-0-2-{NONCE}",
                fields={"people": [person], "top": "2", "per_person": "5", "due": ""},
            ),
            "wb_done": Way(winback, NONCE, fields={"outcome": ["kept"], "note": ""}),
            "snooze_form": Way(asleep, NONCE, fields={"when": "in 5 hours", "reason": "Is away"}),
            "followup": Way(alert, NONCE, fields={"what": "Ask him", "due": "in 3 days", "kind": ["task"]}),
            "playbook_edit": Way(f"u{encode(t.playbook)}", f"0-{NONCE}", fields={"steps": "Look\nWrite"}),
            "quiet_mine": Way(
                f"p{encode(t.who)}", NONCE, fields={"from": "22:00", "to": "8:00", "zone": "Europe/Paris"}
            ),
            "setup_zone_sent": Way("u0", NONCE, fields={"zone": t.zone}),
        },
    }


async def act(
    office: Office, person: str, message: Json, what: str, verb: str, way: Way, *, channel: str = "luna"
) -> Reply:
    """Press or submit, also where the message holds no such thing."""
    custom_id = way.custom_id(verb)
    if what == "press":
        return await office.press(person, channel, message, custom_id, way.values, forge=True)
    # A form that nobody opened: `0` is no interaction.
    return office._in_time(
        await office.box.submit(person, channel, custom_id, "0", dict(way.fields), forge=True)
    )


async def leave(office: Office) -> int:
    """Ana claims two fans of luna's and goes off shift, and Lea plans her a minute a week; the first claim's episode."""
    for fan in ("fan_2590", "fan_3655"):
        card = await office.card_with("luna", fan, "a")
        await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    assert "2 claims" in told(await office.box.slash("Ana", "luna", "shift end"))
    planned = {"creator": "luna", "who": office.people["Ana"], "days": "mon", "zone": "UTC"}
    planned |= {"from": "03:00", "to": "03:01"}
    assert "Planned" in told(await office.box.slash("Lea", "luna", "shift plan", planned))
    found = office.rows(
        "SELECT id FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
        office.fan_account_id("2590"),
    )
    return int(found[0][0])


async def prepare(office: Office) -> Things:
    """Something of luna's for every verb: a notice, a note of Ana's, a winback and a spread of Lea's, a change, what Ana
    has handed over, a shift that is planned.
    """
    box = office.box
    await box.fault("fanapi", "session_expired", args={"account": "acct_luna"}, count=0)
    assert (await box.advance(2 * HOUR_S)).settled
    await box.clear_faults()
    for text in ("Sleeps late", "Writes at night"):
        told(await note(office, "Ana", "luna", FAN, text))
    ana = office.people["Ana"]
    for person, command, options in (
        ("Lea", "winback assign", {"fan": WON_BACK, "chatter": ana}),
        ("Lea", "winback spread", {"top": 3, "among": ana, "per_person": 1, "creator": "luna"}),
        ("Lea", "winback assign", {"fan": FAN, "chatter": ana}),
        ("Lea", "winback done", {"fan": FAN, "outcome": "waiting"}),
        ("Lea", "followup add", {"fan": FAN, "what": "Send the set", "due": "in 2 days", "who": ana}),
        ("Lea", "followup add", {"fan": FAN, "what": "Ask again", "due": "in 3 days", "who": ana}),
        ("Max", "creator settings", {"creator": "luna", "timezone": "Asia/Manila"}),
        ("Lea", "alerts mute", {"fan": FAN, "until": "in 3 days", "reason": "on holiday"}),
        ("Lea", "fan hold", {"fan": HELD, "reason": "asked for a break"}),
        ("Lea", "alerts quiet", {"from": "1:00", "to": "2:00", "zone": "UTC", "creator": "luna"}),
        ("Lea", "alerts test", {"creator": "luna"}),
    ):
        told(await box.slash(person, HOME, command, options))
    left = await leave(office)
    messages = await box.messages("luna")

    def card(kind: str) -> int:
        return int(live_cards(messages, kind)[0].card, 36)

    alert = await office.card_with("luna", WON_BACK, "a")

    def newest(query: str) -> int:
        return int(office.rows(query)[0][0])

    fan = office.fan_account_id(WON_BACK_ID)
    (followup, due_at), (other_followup, _) = office.rows("SELECT id, due_at FROM followups ORDER BY id")
    episode = newest(f"SELECT id FROM episodes WHERE fan_account_id = {fan} AND closed_at IS NULL")  # noqa: S608 - a number
    reasons, expired = office.rows("SELECT reasons, expired FROM episodes WHERE id = ?", episode)[0]
    return Things(
        alert=int(alert.card, 36),
        group=card("g"),
        baseline=card("s"),
        notice=card("n"),
        digest=card("d"),
        episode=episode,
        fan=office.fan_account_id(FAN_ID),
        other_fan=fan,
        note=newest("SELECT MAX(id) FROM notes"),
        winback=newest(f"SELECT id FROM winbacks WHERE fan_account_id = {fan}"),  # noqa: S608 - a number
        closed_winback=newest("SELECT MAX(id) FROM winbacks WHERE done_at IS NOT NULL"),
        spread=newest("SELECT MAX(id) FROM winback_spreads"),
        followup=followup,
        followup_due_s=due_at // 1_000,
        other_followup=other_followup,
        # The last one, which no alert of these tests is worked by.
        playbook=len(REASONS) - 1,
        alert_playbook=REASONS.index(reason_for(decode_reasons(reasons), expired=bool(expired))),
        mute=newest("SELECT MAX(id) FROM mutes"),
        hold=newest("SELECT MAX(id) FROM fan_holds"),
        quiet=newest("SELECT MAX(id) FROM quiet_hours"),
        drill=newest("SELECT MAX(id) FROM cards WHERE code = 'drill'"),
        creator=office.creator_id("luna"),
        change=newest("SELECT MAX(id) FROM setting_changes"),
        action=newest("SELECT MIN(id) FROM desk_actions"),
        handover=newest("SELECT MAX(card_id) FROM handovers"),
        left=left,
        shift=newest("SELECT MAX(id) FROM shifts"),
        person=int(office.people["Ana"]),
        lead=int(office.people["Lea"]),
        who=int(office.people["Olga"]),
        channel=int(office.channels["luna"]),
        home=int(office.channels[HOME]),
        role=int(office.roles["Chatter"]),
        tier="chatter",
        account="acct_luna",
        fan_name=FAN,
        zone="UTC",
    )
