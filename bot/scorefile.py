"""Scores a file of profiles: what `python -m bot score` does, without the command line."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from bot.domain.scoring import ProfileError, UnknownModelError, score_profiles


class ScoreFileError(Exception):
    """Why nothing was scored, as one line to print."""


def score_file(model: str, in_path: Path | str, out_path: Path | str) -> int:
    """Read a JSON array of one creator's profiles, write a JSON array of their scores; returns how many.

    The output replaces `out_path` at once or not at all; it may be the input. Raises ScoreFileError.
    """
    source, target = Path(in_path), Path(out_path).resolve()
    profiles = _read_array(source)
    try:
        scored = score_profiles(profiles, model)
    except UnknownModelError as error:
        raise ScoreFileError(str(error)) from error
    except ProfileError as error:
        raise ScoreFileError(f"{source}: {error}") from error
    _write(target, json.dumps(scored, indent=2, allow_nan=False) + "\n")
    return len(scored)


def _read_array(source: Path) -> list[dict[str, object]]:
    try:
        loaded = json.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ScoreFileError(f"{source}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ScoreFileError(f"{source}: is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise ScoreFileError(
            f"{source}: is not JSON: {error.msg}, line {error.lineno} column {error.colno}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise ScoreFileError(
            f"{source}: is JSON nobody can read (nested too deep, or a number too long)"
        ) from error
    if not isinstance(loaded, list):
        raise ScoreFileError(f"{source}: must hold a JSON array of fan profiles")
    return loaded


def _write(target: Path, text: str) -> None:
    if target.exists() and not target.is_file():
        raise ScoreFileError(f"{target}: is not a file")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise ScoreFileError(f"{target}: cannot be written: {error.strerror or error}") from error
