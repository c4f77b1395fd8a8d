"""Structured logs: ids, counts and codes only; never a name, a text or a token."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(level: str) -> None:
    """One line of key=value pairs per event on standard error, libraries included."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"]),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These say in INFO what our own events say better, or put request lines (with ids and paths) into the log; aiosqlite
    # puts every value of a statement there.
    # APScheduler warns of each tick that is still running; the ticker counts those itself.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for noisy in ("httpx", "httpcore", "discord.http", "aiohttp.access", "alembic", "asyncio", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
