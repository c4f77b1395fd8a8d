"""The reports about saves in words: whole, with too little to say, and with far too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.saves import render_saves, render_team
from bot.domain.saves import Carried, Estimate, OfCreator
from bot.services.saves import CreatorLine, Period, PersonLine, SavesReport, TeamReport

ANA, BEN = 111_111_111_111_111_111, 222_222_222_222_222_222
PERIOD = Period(date(2025, 12, 3), date(2026, 3, 2))
FOUND = Estimate("USD", 34, 5, 2, 210, 1_234_000, 987_200, 810_000, 424_000, 120_000, 700_000)
REPORT = SavesReport("Luna", PERIOD, "Europe/Paris", (FOUND,), 52, 14.4, {"kept": 20, "lost": 4}, False)
CARRIED = Carried(ANA, "USD", Fraction(49, 2), 900_000, 720_000, 670_000, 230_000, 1)
PERSON = PersonLine(ANA, (CARRIED,), 40, 12.0, {"kept": 10, "lost": 2})


def text(rendered: RenderedMessage) -> str:
    (embed,) = rendered.embeds
    return embed.description or ""


def test_a_period_with_enough_cases_is_told_with_its_range() -> None:
    shown = render_saves(REPORT)
    assert shown.embeds[0].title == "Saves · Luna · Wed 3 December to Mon 2 March"
    assert text(shown).splitlines() == [
        "**Kept after contact:** 34 cases whose 30 days are over, 5 still running,"
        " 2 with an unknown monthly spend left out.",
        "Received: $12,340 ($9,872 net)",
        "Expected anyway: $8,100, by 210 comparable fans nobody wrote to",
        "**Difference: $4,240**, 90 % range $1,200 to $7,000",
        "",
        "**Claims:** 52, typically 14 minutes after the alert.",
        "**Closed:** 20 saved, 4 lost.",
        "",
        "-# This is a comparison, not proof, until a holdout is run: people choose whom they write to.",
        "-# A case is an alert that somebody claimed or closed and whose fan was written to;"
        " what the fan paid in the 30 days after the first contact counts.",
        "-# Days are those of Europe/Paris.",
    ]


def test_too_few_cases_or_fans_to_compare_with_are_said_with_their_number() -> None:
    few = replace(
        FOUND, cases=12, expected_cents=None, difference_cents=None, low_cents=None, high_cents=None
    )
    assert "Difference: not enough cases yet (12 of 20)." in text(
        render_saves(replace(REPORT, estimates=(few,)))
    )
    alone = replace(few, cases=30, comparable=7)
    said = text(render_saves(replace(REPORT, estimates=(alone,))))
    assert "Difference: not enough comparable fans yet (7 of 20)." in said
    assert "Expected" not in said


def test_nothing_at_all_is_a_sentence() -> None:
    nothing = SavesReport(None, PERIOD, "UTC", (), 0, None, {}, False)
    said = text(render_saves(nothing))
    assert "Nobody has written to a fan at risk in that time, so there is nothing to compare." in said
    assert "**Claims:** none." in said
    assert "not proof" not in said
    assert "Nobody has claimed, closed or written in that time." in text(
        render_team(TeamReport(PERIOD, "UTC", (), {}, False))
    )


def test_several_creators_have_a_line_each_and_ten_at_most() -> None:
    luna = CreatorLine("Luna", OfCreator(1, "USD", 30, 1_234_000, 987_200, 424_000))
    zoe = CreatorLine("Zoe *", OfCreator(2, "EUR", 1, 90_000, None, None))
    said = text(render_saves(replace(REPORT, creator=None, creators=(luna, zoe))))
    assert said.splitlines()[5:9] == [
        "**By creator:**",
        "• **Luna** · difference $4,240 · 30 cases, $12,340 received ($9,872 net)",
        "• **Zoe \\*** · 1 case, 900 EUR received",
        "",
    ]
    assert "By creator" not in text(render_saves(REPORT))
    said = text(render_saves(replace(REPORT, creators=(luna,) * 13)))
    assert said.count("• **Luna**") == 10
    assert "… and 3 more" in said


def test_two_currencies_stand_apart_and_what_was_lost_is_below_zero() -> None:
    euros = replace(FOUND, currency="EUR", net_cents=None, difference_cents=-50_000, low_cents=-90_000)
    said = text(render_saves(replace(REPORT, estimates=(FOUND, euros))))
    assert "**USD** · **Kept after contact:**" in said
    assert "**EUR** · **Kept after contact:**" in said
    assert "Received: 12,340 EUR\n" in said
    assert "**Difference: -500 EUR**, 90 % range -900 EUR to 7,000 EUR" in said


def test_the_team_has_ranks_and_who_has_too_few_cases_has_none() -> None:
    ben = PersonLine(BEN, (replace(CARRIED, user_id=BEN, cases=Fraction(1), rank=None),), 0, None, {})
    lea = PersonLine(BEN + 1, (), 3, 90.0, {})
    shown = render_team(TeamReport(PERIOD, "UTC", (PERSON, ben, lea), {"USD": 210}, True))
    assert text(shown).splitlines()[:5] == [
        f"**1.** <@{ANA}> · difference $2,300 · 24.5 cases, $9,000 received ($7,200 net)"
        " · 40 claims, typically after 12 minutes · 10 saved, 2 lost",
        "",
        "**Too few cases for a rank** (20 are needed)",
        f"• <@{BEN}> · 1 case, $9,000 received ($7,200 net)",
        f"• <@{BEN + 1}> · 3 claims, typically after 1.5 hours",
    ]
    for minutes in (0.2, 0.5):
        at_once = replace(lea, minutes_to_claim=minutes)
        said = text(render_team(TeamReport(PERIOD, "UTC", (at_once,), {"USD": 210}, True)))
        assert "3 claims, typically after less than a minute" in said
    assert "-# There was more than a report can hold; only the newest contacts are counted." in text(shown)


def test_claims_of_what_nobody_was_told_of_have_no_usual_wait() -> None:
    said = text(render_saves(replace(REPORT, claims=3, minutes_to_claim=None)))
    assert "**Claims:** 3.\n" in said
    lea = PersonLine(BEN, (), 3, None, {"kept": 1})
    said = text(render_team(TeamReport(PERIOD, "UTC", (lea,), {"USD": 210}, False)))
    assert f"• <@{BEN}> · 3 claims · 1 saved" in said


def test_who_has_cases_enough_is_told_that_the_comparable_fans_are_too_few() -> None:
    unranked = replace(
        CARRIED, cases=Fraction(45), net_cents=None, expected_cents=None, difference_cents=None, rank=None
    )
    ana = replace(PERSON, carried=(unranked,), claims=0, minutes_to_claim=None, outcomes={})
    ben = replace(ana, user_id=BEN, carried=(replace(unranked, user_id=BEN, cases=Fraction(3)),))
    said = text(render_team(TeamReport(PERIOD, "UTC", (ana, ben), {"USD": 7}, False)))
    assert said.splitlines()[:5] == [
        "**Too few comparable fans for a rank** (7 of 20)",
        f"• <@{ANA}> · 45 cases, $9,000 received",
        "",
        "**Too few cases for a rank** (20 are needed)",
        f"• <@{BEN}> · 3 cases, $9,000 received",
    ]
    euros = replace(ben, carried=(replace(unranked, user_id=BEN, currency="EUR"),))
    said = text(render_team(TeamReport(PERIOD, "UTC", (ana, euros), {"USD": 7}, False)))
    assert "**Too few comparable fans in USD for a rank** (7 of 20)" in said
    assert "**Too few comparable fans in EUR for a rank** (0 of 20)" in said


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=200), st.integers(-(10**15), 10**15), st.integers(0, 300))
def test_every_report_fits(creator: str, currency: str, cents: int, people: int) -> None:
    found = replace(FOUND, currency=currency, received_cents=cents, difference_cents=cents)
    hers = CreatorLine(creator, OfCreator(1, currency, 30, cents, cents, cents))
    whole = replace(REPORT, creator=creator, estimates=(found,) * 9, creators=(hers,) * people)
    carried = replace(CARRIED, currency=currency, received_cents=cents, difference_cents=cents)
    team = TeamReport(
        PERIOD, "UTC", (replace(PERSON, carried=(carried,) * 9),) * people, {currency: 40}, True
    )
    for shown in (render_saves(whole), render_team(team)):
        (embed,) = shown.embeds
        assert units(embed.description or "") <= EMBED_DESCRIPTION_UNITS
        assert units(embed.title or "") <= 256
        assert text(shown).endswith(".")
