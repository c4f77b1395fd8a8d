"""A local Discord for one guild and one bot: REST, gateway, attachments, and the control API over them."""

from __future__ import annotations

from .app import Discord, Ids

__all__ = ["Discord", "Ids"]
