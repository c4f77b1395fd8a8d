"""The adapter that FANAPI_KIND names."""

from __future__ import annotations

from typing import Literal

import httpx

from bot.fanapi.client import FansApiClient
from bot.fanapi.ofapi_ai import OfapiAiClient, Variant
from bot.fanapi.protocol import FanApi

Kind = Literal["fansapi", "ofapi_ai"]


def make_api(
    kind: Kind,
    http: httpx.AsyncClient,
    *,
    base_url: str,
    key: str,
    requests_per_minute: int,
    keep_text: bool,
    variant: Variant,
    top_fans: int,
) -> FanApi:
    """The data API, which owns `http`. `keep_text` is for one that has messages, the last two are `ofapi_ai`'s."""
    if kind == "ofapi_ai":
        return OfapiAiClient(
            http,
            base_url=base_url,
            key=key,
            variant=variant,
            top_fans=top_fans,
            requests_per_minute=requests_per_minute,
        )
    return FansApiClient(
        http,
        base_url=base_url,
        key=key,
        requests_per_minute=requests_per_minute,
        keep_text=keep_text,
    )
