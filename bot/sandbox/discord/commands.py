"""Application commands: registering them with Discord's validation, and finding one as a member types it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from .components import check_number
from .errors import INVALID_JSON, UNKNOWN_APPLICATION, UNKNOWN_COMMAND, UNKNOWN_GUILD, Form, api_error
from .wire import Call, Reply, Route, route
from .world import World

CHAT_INPUT: Final = 1
USER_MENU: Final = 2
MESSAGE_MENU: Final = 3
SUB_COMMAND: Final = 1
SUB_COMMAND_GROUP: Final = 2
STRING: Final = 3
INTEGER: Final = 4
BOOLEAN: Final = 5
USER: Final = 6
CHANNEL: Final = 7
ROLE: Final = 8
MENTIONABLE: Final = 9
NUMBER: Final = 10
ATTACHMENT: Final = 11

_LIMITS: Final = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
_MAX_TEXT: Final = 8000
_MAX_LENGTH: Final = 6000
MAX_WHOLE: Final = 2**53
"""How far from 0 a whole number of an option may be."""
_WITH_CHOICES: Final = frozenset({STRING, INTEGER, NUMBER})

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A command as typed: the registered command, the groups on the way, the options of the last part."""

    command: dict[str, Any]
    path: tuple[tuple[str, int], ...]
    options: tuple[dict[str, Any], ...]


class Commands:
    """What is registered for the guild and globally, by (guild id or 0)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scopes: dict[int, list[dict[str, Any]]] = {}

    def routes(self) -> list[Route]:
        scopes = ("/applications/{app}/commands", "/applications/{app}/guilds/{guild}/commands")
        made = []
        for scope in scopes:
            made += [
                route("GET", scope, self.list),
                route("PUT", scope, self.replace),
                route("POST", scope, self.upsert),
                route("GET", scope + "/{command}", self.get),
                route("PATCH", scope + "/{command}", self.patch),
                route("DELETE", scope + "/{command}", self.delete),
            ]
        return made

    def all(self) -> list[dict[str, Any]]:
        """Every command a member of the guild is offered: the guild's own before the global ones."""
        return [*self._scopes.get(self._world.guild_id, []), *self._scopes.get(0, [])]

    def find(self, typed: str) -> Found:
        """A slash command by its words, or a menu command by its name. Raises KeyError."""
        for command in self.all():
            if command["type"] != CHAT_INPUT and command["name"] == typed:
                return Found(command, (), ())
        words = typed.strip().removeprefix("/").split()
        for command in self.all():
            if words and command["type"] == CHAT_INPUT and command["name"] == words[0]:
                return _descend(command, words[1:])
        raise KeyError(typed)

    def _scope(self, call: Call) -> int:
        if call.ids["app"] != self._world.application_id:
            raise api_error(UNKNOWN_APPLICATION)
        guild = call.ids.get("guild", 0)
        if guild not in (0, self._world.guild_id):
            raise api_error(UNKNOWN_GUILD)
        return guild

    async def list(self, call: Call) -> Reply:
        return Reply(200, self._scopes.get(self._scope(call), []))

    async def get(self, call: Call) -> Reply:
        return Reply(200, self._one(call))

    def _one(self, call: Call) -> dict[str, Any]:
        for command in self._scopes.get(self._scope(call), []):
            if command["id"] == str(call.ids["command"]):
                return command
        raise api_error(UNKNOWN_COMMAND)

    async def replace(self, call: Call) -> Reply:
        scope = self._scope(call)
        if not isinstance(call.body, list):
            raise api_error(INVALID_JSON)
        form = Form()
        _check_all(call.body, form)
        form.check()
        known = {(one["type"], one["name"]): one for one in self._scopes.get(scope, [])}
        made = [self._registered(one, scope, known) for one in call.body]
        self._scopes[scope] = made
        self._world.version += 1
        return Reply(200, made)

    async def upsert(self, call: Call) -> Reply:
        scope = self._scope(call)
        form = Form()
        _check_command(call.fields(), (), form)
        form.check()
        before = self._scopes.get(scope, [])
        made = self._registered(call.body, scope, {(one["type"], one["name"]): one for one in before})
        rest = [one for one in before if one["id"] != made["id"]]
        self._scopes[scope] = [*rest, made]
        self._world.version += 1
        return Reply(200 if len(rest) < len(before) else 201, made)

    async def patch(self, call: Call) -> Reply:
        scope = self._scope(call)
        before = self._one(call)
        form = Form()
        merged = before | call.fields()
        _check_command(merged, (), form)
        form.check()
        made = merged | {"version": str(self._world.ids.make())}
        self._scopes[scope] = [made if one is before else one for one in self._scopes[scope]]
        self._world.version += 1
        return Reply(200, made)

    async def delete(self, call: Call) -> Reply:
        scope = self._scope(call)
        gone = self._one(call)
        self._scopes[scope] = [one for one in self._scopes[scope] if one is not gone]
        self._world.version += 1
        return Reply(204)

    def _registered(
        self, given: dict[str, Any], scope: int, known: dict[tuple[int, str], dict[str, Any]]
    ) -> dict[str, Any]:
        kind = given.get("type") or CHAT_INPUT
        old = known.get((kind, given["name"]))
        bits = given.get("default_member_permissions")
        made: dict[str, Any] = {
            "id": old["id"] if old else str(self._world.ids.make()),
            "application_id": str(self._world.application_id),
            "version": str(self._world.ids.make()),
            "type": kind,
            "name": given["name"],
            "name_localizations": given.get("name_localizations"),
            "description": given.get("description") or "",
            "description_localizations": given.get("description_localizations"),
            "options": given.get("options") or [],
            "default_member_permissions": None if bits is None else str(bits),
            "dm_permission": given.get("dm_permission", True),
            "contexts": given.get("contexts"),
            "integration_types": given.get("integration_types") or [0],
            "nsfw": bool(given.get("nsfw")),
        }
        if scope:
            made["guild_id"] = str(scope)
        return made


def _descend(command: dict[str, Any], words: list[str]) -> Found:
    options = command.get("options") or []
    path: list[tuple[str, int]] = []
    while any(one["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP) for one in options):
        if not words:
            raise KeyError(command["name"])
        part = next((one for one in options if one["name"] == words[0]), None)
        if part is None:
            raise KeyError(words[0])
        path.append((part["name"], part["type"]))
        options = part.get("options") or []
        words = words[1:]
    if words:
        raise KeyError(words[0])
    return Found(command, tuple(path), tuple(options))


def _check_all(commands: list[Any], form: Form) -> None:
    seen: set[tuple[int, str]] = set()
    counts: dict[int, int] = {}
    for index, command in enumerate(commands):
        if not isinstance(command, dict):
            form.add((index,), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        _check_command(command, (index,), form)
        kind = command.get("type") or CHAT_INPUT
        key = (kind, str(command.get("name")))
        if key in seen:
            form.add(
                (index, "name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            )
        seen.add(key)
        counts[kind] = counts.get(kind, 0) + 1
    for kind, count in counts.items():
        if count > _LIMITS.get(kind, 0):
            form.add((), "BASE_TYPE_MAX_LENGTH", f"Must be {_LIMITS.get(kind, 0)} or fewer in length.")


def _check_command(command: dict[str, Any], path: Path, form: Form) -> None:
    kind = command.get("type") or CHAT_INPUT
    if kind not in _LIMITS:
        form.choices((*path, "type"), "1, 2, 3")
        return
    name = command.get("name")
    if kind == CHAT_INPUT:
        _check_name(name, (*path, "name"), form)
        _check_description(command, path, form)
        _check_options(command.get("options") or [], (*path, "options"), form, depth=0)
        if _text_size(command) > _MAX_TEXT:
            form.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_MAX_TEXT})")
    else:
        if name is None:
            form.required((*path, "name"))
        else:
            form.length((*path, "name"), name, 1, 32)
        for key in ("description", "options"):
            if command.get(key):
                form.add(
                    (*path, key),
                    "APPLICATION_COMMAND_INVALID",
                    f"Context menu commands cannot have {key}",
                )
    bits = command.get("default_member_permissions")
    if bits is not None and not str(bits).isdecimal():
        form.add(
            (*path, "default_member_permissions"), "NUMBER_TYPE_COERCE", f'Value "{bits}" is not permission.'
        )


def _check_name(name: Any, path: Path, form: Form) -> None:
    if name is None:
        form.required(path)
        return
    if not form.length(path, name, 1, 32):
        return
    if name != name.lower() or not all(_is_name_character(one) for one in name):
        form.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _is_name_character(one: str) -> bool:
    # Letters and digits of any script, and the marks that Devanagari and Thai words need.
    return one in "-_'" or unicodedata.category(one)[0] in "LN" or "\u0900" <= one <= "\u0e7f"


def _check_description(one: dict[str, Any], path: Path, form: Form) -> None:
    if not one.get("description"):
        form.required((*path, "description"))
    else:
        form.length((*path, "description"), one["description"], 1, 100)


def _check_options(options: list[dict[str, Any]], path: Path, form: Form, *, depth: int) -> None:
    if len(options) > 25:
        form.length(path, options, 0, 25)
    seen: set[str] = set()
    optional_seen = False
    nested = sum(1 for one in options if one.get("type") in (SUB_COMMAND, SUB_COMMAND_GROUP))
    for index, option in enumerate(options):
        here = (*path, index)
        kind = option.get("type")
        _check_name(option.get("name"), (*here, "name"), form)
        _check_description(option, here, form)
        if option.get("name") in seen:
            form.add(
                (*here, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option name is already used"
            )
        seen.add(str(option.get("name")))
        if kind in (SUB_COMMAND, SUB_COMMAND_GROUP):
            if depth > 1 or (depth == 1 and kind == SUB_COMMAND_GROUP) or nested != len(options):
                form.add(
                    (*here, "type"),
                    "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                    "Sub-command and sub-command group types are mutually exclusive to all other types",
                )
            _check_options(option.get("options") or [], (*here, "options"), form, depth=depth + 1)
            continue
        if not isinstance(kind, int) or not STRING <= kind <= ATTACHMENT:
            form.choices((*here, "type"), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11")
            continue
        if option.get("required"):
            if optional_seen:
                form.add(
                    here,
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                )
        else:
            optional_seen = True
        _check_choices(option, here, form)
        _check_bounds(option, here, form)


def _check_bounds(option: dict[str, Any], path: Path, form: Form) -> None:
    """Least and greatest value or length: of the option's type, and in this order."""
    check_number(option, "min_length", path, form, 0, _MAX_LENGTH)
    check_number(option, "max_length", path, form, 1, _MAX_LENGTH)
    if option["type"] == INTEGER:
        for key in ("min_value", "max_value"):
            check_number(option, key, path, form, -MAX_WHOLE, MAX_WHOLE)
    for low, high in (("min_length", "max_length"), ("min_value", "max_value")):
        least, most = option.get(low), option.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            form.add((*path, high), "NUMBER_TYPE_MIN", f"value should be greater than or equal to {least}.")


def _check_choices(option: dict[str, Any], path: Path, form: Form) -> None:
    choices = option.get("choices") or []
    if option.get("autocomplete") and (choices or option["type"] not in _WITH_CHOICES):
        form.add(
            (*path, "autocomplete"),
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            "Autocomplete is only for options of text and numbers without choices",
        )
    if len(choices) > 25:
        form.length((*path, "choices"), choices, 0, 25)
    check_choices(choices, option["type"], (*path, "choices"), form)


def check_choices(choices: list[Any], kind: int, path: Path, form: Form) -> None:
    """Names of 1 to 100, values of the option's type, text values of at most 100, no name twice."""
    seen: set[str] = set()
    for index, choice in enumerate(choices):
        here = (*path, index)
        if not isinstance(choice, dict) or choice.get("name") is None or choice.get("value") is None:
            form.required(here)
            continue
        form.length((*here, "name"), choice["name"], 1, 100)
        value = choice["value"]
        if kind == STRING:
            form.length((*here, "value"), value, 0, 100)
        elif isinstance(value, bool) or not isinstance(value, int if kind == INTEGER else (int, float)):
            form.add((*here, "value"), "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
        if choice["name"] in seen:
            form.add(here, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS", "Choice name already exists")
        seen.add(choice["name"])


def _text_size(one: dict[str, Any]) -> int:
    size = len(str(one.get("name", ""))) + len(str(one.get("description", "")))
    for choice in one.get("choices") or []:
        size += len(str(choice.get("name", ""))) + len(str(choice.get("value", "")))
    return size + sum(_text_size(inner) for inner in one.get("options") or [])
