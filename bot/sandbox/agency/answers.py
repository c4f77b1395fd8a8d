"""What an endpoint answers, before the envelope is put around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Query = Mapping[str, str]


class ApiError(Exception):
    """An answer of 400 or above."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body

    @classmethod
    def not_found(cls) -> ApiError:
        return cls(404, {"message": "Not found.", "error": {"code": "not_found", "message": "Not found."}})

    @classmethod
    def account_not_found(cls) -> ApiError:
        return cls(404, {"error": {"code": "account_not_found", "message": "Account not found."}})

    @classmethod
    def forbidden(cls) -> ApiError:
        message = "This API key may not read the chats of this account."
        return cls(403, {"error": {"code": "forbidden", "message": message}})


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` is encoded. `next_query`: the query of the next page; None = this is the last."""

    data: bytes
    paginated: bool = False
    next_query: dict[str, str] | None = None
