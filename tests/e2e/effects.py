"""What a press is to do: which show, which change nothing, and the answers that mean nothing was done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.discord_ui import words
from bot.discord_ui.words import notes as note_words
from bot.discord_ui.words import setup as setup_words
from tests.e2e.harness import Json, Reply
from tests.e2e.office import Office
from tests.e2e.pressing import Way, act
from tests.e2e.reading import live_cards
from tests.e2e.refusing import told

AT_ONCE = 16
USELESS = {words.GONE, words.OUTDATED, words.NOT_FOUND, note_words.GONE, setup_words.CREATOR_GONE}
OF_A_FREE_ACCOUNT = {"setup_make", "pick_account", "pick_channel", "pick_team"}
"""The sample agency has no account left for these; tests/e2e/test_setup.py has."""
SHOWS = {
    *(
        "snooze",
        "page",
        "top",
        "details",
        "calm_list",
        "queue",
        "pick_queue_sort",
        "digest_queue",
        "digest_left",
    ),
    *("pick_fan", "more", "more_back", "pick_episode", "why", "take_over", "note_list", "note_open"),
    *("note_history", "note_version", "take_page", "shift_who", "shift_plan", "my_work", "wb_candidates"),
    *("wb_assign", "wb_list", "playbook", "fu_list", "retire_no", "setup", "pick_creator"),
}
AS_IT_IS = {
    *(
        "setup_finish",
        "pick_roles",
        "pick_notices",
        "pick_move",
        "pick_chatter",
        "pick_lead",
        "setup_zone_sent",
    ),
    "drill_ok",
}
"""What says of luna what is so already, and what changes nothing but a card."""
OF_A_STRICTER_CARD = {"revert", "revert_yes"}
"""No change of thresholds has made a card here; tests/e2e/test_revert.py has one."""
CHANGE_NOTHING = SHOWS | AS_IT_IS | OF_A_FREE_ACCOUNT | OF_A_STRICTER_CARD
Act = tuple[str, str, str, Way]
"""(who, "press" or "form", the verb, the way)"""


async def baseline(office: Office) -> Json:
    """A message that holds none of what is pressed, so that every answer is one of its own."""
    return live_cards(await office.box.messages("luna"), "s")[0].message


async def acted(office: Office, acts: Sequence[Act], message: Json | None = None) -> list[Reply]:
    message = message or await baseline(office)
    replies: list[Reply] = []
    for first in range(0, len(acts), AT_ONCE):
        replies += await asyncio.gather(
            *(
                act(office, person, message, what, verb, way)
                for person, what, verb, way in acts[first : first + AT_ONCE]
            )
        )
    return replies


async def answers(office: Office, acts: Sequence[Act], message: Json | None = None) -> list[str]:
    """What was said to each; all of it private and nothing of it a failure."""
    return [told(reply) for reply in await acted(office, acts, message)]


def works(reply: Reply, verb: str) -> bool:
    """Whether a press that is answered so should have changed something; what opens a form has not yet."""
    return reply.modal is None and verb not in CHANGE_NOTHING
