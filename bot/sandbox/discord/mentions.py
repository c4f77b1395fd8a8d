"""Who a new message notifies: the mentions in its text, as far as `allowed_mentions` lets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .errors import Form

_CODE: Final = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
_USER: Final = re.compile(r"<@!?(\d{1,20})>")
_ROLE: Final = re.compile(r"<@&(\d{1,20})>")
_EVERYONE: Final = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    """The mentions in a text that are let through, each id once, in order."""

    users: tuple[int, ...]
    roles: tuple[int, ...]
    everyone: bool


def check_allowed(allowed: Any, form: Form) -> None:
    if allowed is None:
        return
    if not isinstance(allowed, dict):
        form.add(("allowed_mentions",), "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    parse = allowed.get("parse") or []
    for index, kind in enumerate(parse):
        if kind not in ("users", "roles", "everyone"):
            form.choices(("allowed_mentions", "parse", index), "'roles', 'users', 'everyone'")
    for kind in ("users", "roles"):
        ids = allowed.get(kind)
        if ids and kind in parse:
            form.add(
                ("allowed_mentions",),
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
        if ids and len(ids) > 100:
            form.add(("allowed_mentions", kind), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")


def find(text: str, allowed: dict[str, Any] | None) -> Mentions:
    """`allowed` is `allowed_mentions` as sent; None = everything in the text counts."""
    text = _CODE.sub(" ", text)
    users = tuple(dict.fromkeys(int(found) for found in _USER.findall(text)))
    roles = tuple(dict.fromkeys(int(found) for found in _ROLE.findall(text)))
    everyone = _EVERYONE.search(text) is not None
    if allowed is None:
        return Mentions(users, roles, everyone)
    parse = set(allowed.get("parse") or ())
    return Mentions(
        users=users if "users" in parse else _only(users, allowed.get("users")),
        roles=roles if "roles" in parse else _only(roles, allowed.get("roles")),
        everyone=everyone and "everyone" in parse,
    )


def _only(found: tuple[int, ...], ids: Any) -> tuple[int, ...]:
    wanted = {int(wanted) for wanted in ids or ()}
    return tuple(one for one in found if one in wanted)


def text_displays(components: list[dict[str, Any]]) -> Iterator[str]:
    """The texts of Components V2, which count as content where mentions are concerned."""
    for component in components:
        if component.get("type") == 10:
            yield str(component.get("content", ""))
        yield from text_displays(component.get("components") or [])
