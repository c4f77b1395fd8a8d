"""The vendor's webhooks (api-contracts.md section 3): what happens in the agency is told to those who registered.

`feed` turns happenings into events, `payloads` writes them, `mischief` says what goes wrong with which,
`lane` sends them to one endpoint, `desk` takes registrations, `service` holds it together.
"""

from bot.sandbox.webhooks.service import BotHook, Webhooks

__all__ = ["BotHook", "Webhooks"]
