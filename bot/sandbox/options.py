"""What a run of the sandbox is told on its command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Api = Literal["fansapi", "ofapi_ai"]
APIS: Final[tuple[Api, ...]] = ("fansapi", "ofapi_ai")


@dataclass(frozen=True, slots=True)
class Headless:
    """A run of `cycles` cycles of `step_s` agency seconds; each path is a file to write, None = none."""

    cycles: int
    step_s: int
    timeout_s: float
    report: Path | None
    requests: Path | None
    state: Path | None


@dataclass(frozen=True, slots=True)
class Options:
    """One sandbox.

    Attributes:
        port: 0 = a free one.
        history: the purchase history to replay; None = the sample agency.
        speed: agency seconds per machine second; 0 = time stands until it is advanced.
        effect: the share of the sample agency's leavers whom a contact keeps, 0 to 1.
        wire_speed: how many times faster than the real ones Discord's and the API's rate windows pass.
        api: which vendor's data API is simulated, by the bot's name for it.
        data: where the database is kept; None = a temporary folder that goes at the end.
        database: a database URL for the bot; None = SQLite in the data folder.
        webhooks: the data API tells the bot of what happens, at an address on this machine.
        verbose: the bot writes to our standard error instead of a file.
    """

    command: tuple[str, ...]
    port: int = 8080
    history: Path | None = None
    seed: int = 7
    speed: float = 120.0
    effect: float = 0.0
    wire_speed: float = 1.0
    api: Api = "fansapi"
    model: str | None = None
    data: Path | None = None
    database: str | None = None
    webhooks: bool = False
    verbose: bool = False
    headless: Headless | None = None
