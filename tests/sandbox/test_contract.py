"""Every object of the data API against the contract: no field, and no type, that only a simulator would have."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY
from tests.sandbox.agency_client import T0, Api, Json, crowd, serving
from tests.sandbox.contract import SHAPES, faults

COMPANION = Path(__file__).resolve().parents[2].parent / "shared" / "onlyfansapi-openapi.json"
ELSEWHERE = {"lastReplyAt", "notice", "{AMOUNT}", "{MESSAGE_LINK}", "_pagination"}
"""Named by the vendor's pages where its client's types lack them."""
USER_DETAILS = {"name", "username"}
"""Of a user shown with skip_users=none, as webhooks show one."""
MIXED = {"subscribedOn"}
"""A text in some of the client's types, a flag in the others."""

Answers = dict[str, list[Any]]


async def _chats(api: Api, account: str, answers: Answers) -> None:
    chats = await api.get(f"{account}/chats", limit=30)
    answers["{account}/chats"].append(chats)
    for chat in chats["data"]:
        path = f"{account}/chats/{chat['fan']['id']}/messages"
        answers["{account}/chats/{chat_id}/messages"] += [
            await api.get(path, limit=100),
            await api.get(path, skip_users="none", order="asc"),
        ]


async def _ask_everything(api: Api, *, chats: bool) -> Answers:
    answers: Answers = {path: [] for path in SHAPES}
    answers["whoami"].append(await api.get("whoami"))
    accounts = await api.get("accounts")
    answers["accounts"].append(accounts)
    for account in [entry["id"] for entry in accounts]:
        for name in ("me", "fans/latest", "fans/top", "transactions", "chargebacks"):
            answers["{account}/" + name].append(await api.get(f"{account}/{name}"))
        answers["{account}/notifications"] += [
            await api.get(f"{account}/notifications", limit=100),
            await api.get(f"{account}/notifications", limit=100, skip_users="none"),
        ]
        for name in ("all", "active", "expired"):
            for offset in (0, 20, 40):
                answers["{account}/fans/" + name].append(
                    await api.get(f"{account}/fans/{name}", offset=offset)
                )
        fans = (
            answers["{account}/fans/all"][-1]["data"]["list"]
            or answers["{account}/fans/all"][-3]["data"]["list"]
        )
        fan = next(fan for fan in fans if "username" in fan)
        answers["{account}/users/{username}"].append(await api.get(f"{account}/users/{fan['username']}"))
        listed = await api.get(f"{account}/users/list", ids=fan["id"])
        answers["{account}/users/list"].append(listed | {"data": {"1000000": listed["data"][str(fan["id"])]}})
        history = f"{account}/fans/{fan['id']}/subscriptions-history"
        answers["{account}/fans/{user_id}/subscriptions-history"].append(await api.get(history))
        if chats and account in ("acct_amber", "acct_freya-free"):
            await _chats(api, account, answers)
    return answers


async def _sample() -> Answers:
    async with serving(SampleAgency(seed=7)) as api:
        api.clock.change(advance_ms=MS_PER_DAY)
        return await _ask_everything(api, chats=True)


async def _history() -> Answers:
    rows = [*crowd(50), Row(1, "creator-1", 1_003, T0 + 9 * MS_PER_DAY, -100)]
    rows.append(Row(2, "creator-1", 1, T0 + 60 * MS_PER_DAY, 100))
    async with serving(HistoryAgency(rows)) as api:
        return await _ask_everything(api, chats=False)


@pytest.fixture(scope="module")
def answers() -> Answers:
    """A good part of what the sample agency and a replayed history have to show, by endpoint."""
    sample, history = asyncio.run(_sample()), asyncio.run(_history())
    return {path: sample[path] + history[path] for path in sample}


def test_every_endpoint_has_something_to_show(answers: Answers) -> None:
    empty = {path for path, bodies in answers.items() if not any(_holds(body) for body in bodies)}
    assert empty == set()


def _holds(body: Any) -> bool:
    data = body.get("data", body) if isinstance(body, dict) else body
    return bool(data.get("list", data.get("users", data)) if isinstance(data, dict) else data)


@pytest.mark.parametrize("path", SHAPES)
def test_every_field_is_in_the_contract(answers: Answers, path: str) -> None:
    assert {fault for body in answers[path] for fault in faults(body, SHAPES[path])} == set()


def test_a_field_of_our_own_and_a_wrong_type_are_found() -> None:
    shape = SHAPES["{account}/transactions"]
    row = {"id": "0" * 32, "type": "gift", "amount": "5", "tier": 1}
    assert faults({"data": {"list": [row]}}, shape) == {
        ".data.list[].type: no kind",
        ".data.list[].amount: no number",
        ".data.list[].tier: unknown",
    }


def test_what_a_reader_could_tell_a_simulator_by(answers: Answers) -> None:
    """Values that are ours alone: a code for a reason, made-up kinds of a subscription."""
    details = [
        fan["subscribedOnData"] for body in answers["{account}/fans/all"] for fan in body["data"]["list"]
    ]
    details = [detail for detail in details if detail is not None]
    reasons = {detail["unsubscribeReason"] for detail in details}
    assert len(reasons) > 2
    assert all(reason == "" or " " in reason for reason in reasons)
    periods = [period for detail in details for period in detail["subscribes"]]
    assert {(period["type"], period["action"]) for period in periods} == {(None, None)}


@pytest.mark.parametrize("path", SHAPES)
@pytest.mark.skipif(not COMPANION.exists(), reason="the vendor's types as OpenAPI are not beside the project")
def test_every_field_is_in_the_vendors_types(answers: Answers, path: str) -> None:
    document = json.loads(COMPANION.read_text(encoding="utf-8"))
    operation = document["paths"][f"/api/{path}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schemas = document["components"]["schemas"]
    assert {fault for body in answers[path] for fault in _typed(body, schema, schemas, "")} == set()


def _typed(value: Any, schema: Json, schemas: Json, where: str) -> set[str]:
    schema = schema.get("allOf", [schema])[0]
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    name = where.rpartition(".")[2]
    if value is None or kind is None or name in MIXED:
        return set()
    if kind == "array":
        if not isinstance(value, list):
            return {f"{where}: no list"}
        items = schema.get("items", {})
        return {fault for item in value for fault in _typed(item, items, schemas, where)}
    if kind != "object":
        # Integers are what the types' one example showed: money comes with decimals.
        wanted = {"string": str, "boolean": bool, "integer": int | float, "number": int | float}[kind]
        fits = isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool))
        return set() if fits else {f"{where}: no {kind}"}
    if not isinstance(value, dict):
        return {f"{where}: no object"}
    found: set[str] = set()
    for field, item in value.items():
        properties = schema.get("properties", {})
        if field in properties:
            found |= _typed(item, properties[field], schemas, f"{where}.{field}")
        elif field not in ELSEWHERE and not (field in USER_DETAILS and name in ("user", "fromUser")):
            found.add(f"{where}.{field}: unknown")
    return found
