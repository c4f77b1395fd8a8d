"""The rules for what a message may hold: text, embeds, flags and the two kinds of components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import components as rules
from .errors import EMPTY_MESSAGE, Form, api_error
from .mentions import check_allowed
from .model import MessageFlag

if TYPE_CHECKING:
    from .model import Message

Path = tuple[str | int, ...]

MAX_CONTENT: Final = 2000
MAX_EMBEDS: Final = 10
MAX_EMBED_TEXT: Final = 6000
MAX_FILES: Final = 10
_SETTABLE: Final = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.IS_COMPONENTS_V2
)


def check_create(body: dict[str, Any], *, files: int, at: Path = ()) -> None:
    """Refuses what Discord would refuse of a new message: 50035, or 50006 when nothing is in it.

    `at` is where the message stands in the request, which the paths of the errors begin with.
    """
    form = Form(at)
    flags = check_flags(body, form)
    v2 = bool(flags & MessageFlag.IS_COMPONENTS_V2)
    _check_parts(body, form, v2=v2)
    _check_files(files, form)
    form.check()
    full = ("components",) if v2 else ("content", "embeds", "components", "sticker_ids", "poll")
    if not files and not any(body.get(key) for key in full):
        raise api_error(EMPTY_MESSAGE)


def check_edit(message: Message, body: dict[str, Any], *, files_after: int, at: Path = ()) -> None:
    """The same for an edit, judged by what the message would hold after it."""
    form = Form(at)
    flags = check_flags(body, form) if body.get("flags") is not None else message.flags
    v2 = bool((flags | message.flags) & MessageFlag.IS_COMPONENTS_V2)
    after = {
        "content": body.get("content", message.content),
        "embeds": body.get("embeds", message.embeds),
        "components": body.get("components", message.components),
        "allowed_mentions": body.get("allowed_mentions"),
    }
    _check_parts(after, form, v2=v2)
    _check_files(files_after, form)
    form.check()
    if not files_after and not any(after[key] for key in ("content", "embeds", "components")):
        raise api_error(EMPTY_MESSAGE)


def check_flags(body: dict[str, Any], form: Form) -> int:
    flags = body.get("flags") or 0
    if not isinstance(flags, int) or isinstance(flags, bool):
        form.add(("flags",), "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
        return 0
    # Bits that a bot may not set are dropped, as Discord does.
    return flags & int(_SETTABLE)


def _check_parts(body: dict[str, Any], form: Form, *, v2: bool) -> None:
    content = body.get("content")
    if content is not None and (not isinstance(content, str) or len(content) > MAX_CONTENT):
        form.length(("content",), content, 0, MAX_CONTENT)
    embeds = body.get("embeds") or []
    if not isinstance(embeds, list) or len(embeds) > MAX_EMBEDS:
        form.length(("embeds",), embeds, 0, MAX_EMBEDS)
    else:
        check_embeds(embeds, form)
    check_allowed(body.get("allowed_mentions"), form)
    nonce = body.get("nonce")
    if nonce is not None and len(str(nonce)) > 25:
        form.length(("nonce",), str(nonce), 0, 25)
    if v2:
        for key in ("content", "embeds", "sticker_ids", "poll"):
            if body.get(key):
                form.add(
                    (key,),
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    if body.get("components") is not None:
        rules.check_message(body["components"], v2=v2, form=form)


def _check_files(files: int, form: Form) -> None:
    if files > MAX_FILES:
        form.add(("attachments",), "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")


_TEXTS: Final = (("title", 256), ("description", 4096))
_NAMED: Final = (("footer", "text", 2048), ("author", "name", 256))


def check_embeds(embeds: list[Any], form: Form) -> None:
    total = 0
    for index, embed in enumerate(embeds):
        path: Path = ("embeds", index)
        if not isinstance(embed, dict):
            form.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        total += _check_embed(embed, path, form)
    if total > MAX_EMBED_TEXT:
        form.add(
            ("embeds",), "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_EMBED_TEXT}"
        )


def _check_embed(embed: dict[str, Any], path: Path, form: Form) -> int:
    """How much text counts against the limit of all embeds of a message."""
    total = 0
    for key, high in _TEXTS:
        value = embed.get(key)
        if value is not None:
            form.length((*path, key), value, 0, high)
            total += len(str(value).strip())
    for key, inner, high in _NAMED:
        part = embed.get(key)
        if isinstance(part, dict):
            value = part.get(inner)
            if not value:
                if key == "author":
                    form.required((*path, key, inner))
                continue
            form.length((*path, key, inner), value, 0, high)
            total += len(str(value).strip())
    fields = embed.get("fields") or []
    form.length((*path, "fields"), fields, 0, 25)
    for index, one in enumerate(fields):
        for key, high in (("name", 256), ("value", 1024)):
            value = one.get(key)
            if not isinstance(value, str) or not value.strip():
                form.required((*path, "fields", index, key))
                continue
            form.length((*path, "fields", index, key), value, 0, high)
            total += len(value.strip())
    _check_urls(embed, path, form)
    color = embed.get("color")
    if color is not None and not 0 <= color <= 0xFFFFFF:
        form.add((*path, "color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.")
    return total


def _check_urls(embed: dict[str, Any], path: Path, form: Form) -> None:
    places: list[tuple[Path, Any, bool]] = [((*path, "url"), embed.get("url"), False)]
    for key in ("image", "thumbnail"):
        part = embed.get(key)
        if isinstance(part, dict):
            places.append(((*path, key, "url"), part.get("url"), True))
    for key in ("author", "footer"):
        part = embed.get(key)
        if isinstance(part, dict):
            places.append(((*path, key, "icon_url"), part.get("icon_url"), True))
            places.append(((*path, key, "url"), part.get("url"), False))
    for place, url, may_attach in places:
        if not url:
            continue
        schemes = ("http://", "https://", "attachment://") if may_attach else ("http://", "https://")
        if not str(url).startswith(schemes):
            form.add(
                place,
                "URL_TYPE_INVALID_SCHEME",
                f'Scheme "{str(url).partition(":")[0].lower()}" is not supported. '
                "Scheme must be one of ('http', 'https').",
            )
