"""Discord's REST errors: the JSON codes that are produced here, and the nested body of an invalid form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

UNKNOWN_APPLICATION: Final = (404, 10002, "Unknown Application")
UNKNOWN_CHANNEL: Final = (404, 10003, "Unknown Channel")
UNKNOWN_GUILD: Final = (404, 10004, "Unknown Guild")
UNKNOWN_MEMBER: Final = (404, 10007, "Unknown Member")
UNKNOWN_MESSAGE: Final = (404, 10008, "Unknown Message")
UNKNOWN_ROLE: Final = (404, 10011, "Unknown Role")
UNKNOWN_USER: Final = (404, 10013, "Unknown User")
UNKNOWN_WEBHOOK: Final = (404, 10015, "Unknown Webhook")
UNKNOWN_INTERACTION: Final = (404, 10062, "Unknown interaction")
UNKNOWN_COMMAND: Final = (404, 10063, "Unknown application command")
MAX_CHANNELS: Final = (400, 30013, "Maximum number of guild channels reached (500)")
ALREADY_ACKNOWLEDGED: Final = (400, 40060, "Interaction has already been acknowledged.")
THREAD_EXISTS: Final = (400, 160004, "A thread has already been created for this message")
MISSING_ACCESS: Final = (403, 50001, "Missing Access")
NOT_YOUR_MESSAGE: Final = (403, 50005, "Cannot edit a message authored by another user")
EMPTY_MESSAGE: Final = (400, 50006, "Cannot send an empty message")
WRONG_CHANNEL_TYPE: Final = (400, 50024, "Cannot execute action on this channel type")
INVALID_WEBHOOK_TOKEN: Final = (401, 50027, "Invalid Webhook Token")
MISSING_PERMISSIONS: Final = (403, 50013, "Missing Permissions")
THREAD_ARCHIVED: Final = (400, 50083, "Thread is archived")
INVALID_JSON: Final = (400, 50109, "The request body contains invalid JSON.")
THREAD_LOCKED: Final = (403, 160005, "Thread is locked")
MAX_ACTIVE_THREADS: Final = (400, 160006, "Maximum number of active threads reached")
UNAUTHORIZED: Final = (401, 0, "401: Unauthorized")
NOT_FOUND: Final = (404, 0, "404: Not Found")
METHOD_NOT_ALLOWED: Final = (405, 0, "405: Method Not Allowed")


class ApiError(Exception):
    """A refusal in Discord's form.

    Attributes:
        status: the HTTP status.
        body: what is answered as JSON.
        headers: further headers of the answer.
    """

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('message')}")
        self.status = status
        self.body = dict(body)
        self.headers = dict(headers or {})


def api_error(known: tuple[int, int, str]) -> ApiError:
    status, code, message = known
    return ApiError(status, {"message": message, "code": code})


class Form:
    """Collects what is wrong with a request body, by path, and raises it all as 50035 at once.

    `at` is where in the body the checked part stands; every path is below it.
    """

    def __init__(self, at: tuple[str | int, ...] = ()) -> None:
        self._at = at
        self._errors: dict[str, Any] = {}

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        node = self._errors
        for part in (*self._at, *path):
            node = node.setdefault(str(part), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def required(self, path: tuple[str | int, ...]) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def choices(self, path: tuple[str | int, ...], allowed: str) -> None:
        self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {{{allowed}}}.")

    def length(self, path: tuple[str | int, ...], value: Any, low: int, high: int) -> bool:
        """Checks that `value` is text (or a list) of `low` to `high` elements; True = it is."""
        if not isinstance(value, (str, list)):
            self.add(path, "BASE_TYPE_BAD_TYPE", "Could not interpret value as a string.")
            return False
        if low <= len(value) <= high:
            return True
        if low == 0:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
        else:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        return False

    @property
    def clean(self) -> bool:
        return not self._errors

    def check(self) -> None:
        if self._errors:
            raise ApiError(400, {"message": "Invalid Form Body", "code": 50035, "errors": self._errors})


def form_error(path: tuple[str | int, ...], code: str, message: str) -> ApiError:
    form = Form()
    form.add(path, code, message)
    try:
        form.check()
    except ApiError as error:
        return error
    raise AssertionError("a form with an error in it is never clean")
