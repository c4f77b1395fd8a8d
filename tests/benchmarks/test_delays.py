"""The delays that the benchmark of a month asserts are the documented ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.delays import DELAYS, WORDS, Kind

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sync.md"


@pytest.mark.parametrize("kind", DELAYS)
def test_a_delay_is_the_documented_one(kind: Kind) -> None:
    rows = [line.strip("| \n").split(" | ") for line in DOCS.read_text(encoding="utf-8").splitlines()]
    (row,) = (row for row in rows if len(row) == 3 and row[0] == DELAYS[kind].row)
    assert WORDS[DELAYS[kind].most_ms] in [part.strip() for part in row[2].split(";")]
