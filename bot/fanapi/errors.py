"""What can go wrong between us and a data API.

    FanApiError
     ├ KeyRefusedError          401: the key is wrong or revoked
     ├ CreditsExhaustedError    402: nothing left to spend
     ├ PermissionDeniedError    403 as JSON: the key may not do this
     ├ EdgeRejectedError        403 as HTML: the edge in front of the API refused us; the key may be fine
     ├ NotFoundError            404
     │  └ AccountNotFoundError  404 with the code account_not_found: the connection is gone
     ├ SessionExpiredError      4xx with the code account_session_expired: the creator has to log in again
     │                          (onlyfans-api.ai: OF_API_ERROR, after one more try)
     ├ InvalidParameterError    400, 422: we asked for something it does not take
     ├ RateLimitedError         429, after the retries
     ├ UpstreamError            5xx, time-outs, connections, after the retries
     └ MalformedAnswerError     an answer that is not what the contract says: HTML, broken JSON, other
     shapes, paging that does not end, a redirect, an unknown status

A message names the endpoint and the account and nothing else: no key, no name of a fan, no text of a body.
"""

from __future__ import annotations


class FanApiError(Exception):
    """`endpoint` is the path after the account; `status` the HTTP status, None where no answer came."""

    def __init__(
        self, what: str, *, endpoint: str, account_id: str | None = None, status: int | None = None
    ) -> None:
        where = endpoint if account_id is None else f"{endpoint} of {account_id}"
        code = "" if status is None else f" ({status})"
        super().__init__(f"{where}: {what}{code}")
        self.what = what
        self.endpoint = endpoint
        self.account_id = account_id
        self.status = status


class KeyRefusedError(FanApiError):
    """The whole key is refused: no account can be read until somebody changes it."""


class CreditsExhaustedError(FanApiError):
    """No credits are left; never retried."""


class PermissionDeniedError(FanApiError):
    """The key is known but may not do this."""


class EdgeRejectedError(FanApiError):
    """Refused before the API saw the request: to be treated as the API being down, not as a bad key."""


class NotFoundError(FanApiError):
    """There is nothing at that address, or the platform is not enabled for the team."""


class AccountNotFoundError(NotFoundError):
    """The connection is unknown; after reconnecting, a creator may have another one."""


class SessionExpiredError(FanApiError):
    """The platform has logged the connection out; `list_accounts` shows that too."""


class InvalidParameterError(FanApiError):
    """A parameter is not taken, such as a limit above the maximum."""


class RateLimitedError(FanApiError):
    """`retry_after_s`: how long the API asks us to wait, None where it did not say."""

    def __init__(
        self,
        what: str,
        *,
        endpoint: str,
        account_id: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, endpoint=endpoint, account_id=account_id, status=status)
        self.retry_after_s = retry_after_s


class UpstreamError(FanApiError):
    """The API or the platform behind it does not answer."""


class MalformedAnswerError(FanApiError):
    """The answer cannot be trusted; nothing of that page is handed on."""
