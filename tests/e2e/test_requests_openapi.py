"""The validator of recorded requests, and (where the replay tests keep their record) what the bot really
sent.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.openapi import SPEC, Contract

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="Discord's OpenAPI file is not beside the project (../shared)"
)

CHANNEL, MESSAGE, APPLICATION, GUILD = (
    "100000000000000001",
    "100000000000000002",
    "100000000000000003",
    "100000000000000004",
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load()


def line(method: str, path: str, json: Any = None) -> dict[str, Any]:
    return {"method": method, "path": "/api/v10" + path, "json": json, "form": None, "files": []}


@pytest.mark.parametrize(
    "good",
    [
        line("GET", "/users/@me"),
        line("GET", "/oauth2/applications/@me"),
        line("GET", f"/channels/{CHANNEL}/messages?limit=50"),
        line(
            "POST",
            f"/channels/{CHANNEL}/messages",
            {"content": "x", "flags": 4096, "nonce": "a.1", "enforce_nonce": True},
        ),
        line(
            "PATCH", f"/channels/{CHANNEL}/messages/{MESSAGE}", {"content": "x", "embeds": [{"title": "t"}]}
        ),
        line("DELETE", f"/channels/{CHANNEL}/messages/{MESSAGE}"),
        line(
            "PUT",
            f"/applications/{APPLICATION}/guilds/{GUILD}/commands",
            [{"name": "queue", "description": "d", "type": 1, "options": []}],
        ),
    ],
    ids=lambda good: f"{good['method']} {good['path']}",
)
def test_a_right_request_passes(contract: Contract, good: dict[str, Any]) -> None:
    assert contract.problems(good) == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line("GET", "/nothing/here"), "no such route"),
        (line("PUT", "/users/@me"), "no such route"),
        ({**line("GET", "/users/@me"), "path": "/api/v9/users/@me"}, "not below"),
        (line("GET", f"/channels/{CHANNEL}/messages?limits=50"), "unknown query parameter limits"),
        (line("POST", f"/channels/{CHANNEL}/messages", {"content": "x" * 4001}), "$.content"),
        (line("POST", f"/channels/{CHANNEL}/messages", {"content": 5}), "$.content"),
        (line("POST", f"/channels/{CHANNEL}/messages", {"nonce": "n" * 26}), "$.nonce"),
        (line("POST", f"/channels/{CHANNEL}/messages"), "one is required"),
        (
            line("PUT", f"/applications/{APPLICATION}/guilds/{GUILD}/commands", [{"description": "d"}]),
            "'name' is a required",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_request_is_told(contract: Contract, bad: dict[str, Any], says: str) -> None:
    assert says in " ".join(contract.problems(bad))


def test_the_most_exact_route_is_taken(contract: Contract) -> None:
    assert contract.template("/users/@me") == "/users/@me"
    assert contract.template(f"/users/{MESSAGE}") == "/users/{user_id}"
