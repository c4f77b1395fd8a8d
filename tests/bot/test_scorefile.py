"""Files in, files out: what is written, what is refused, and that a refusal leaves the old file alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.scorefile import ScoreFileError, score_file

FANS = [
    {"fan_id": "a", "total_spend": 100.0, "spend_30d": 20.0, "spend_prior_30d": 20.0},
    {"fan_id": "b", "subscription_status": "expired"},
]


def test_scores_are_written_in_order(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps(FANS), encoding="utf-8")
    assert score_file("reference", tmp_path / "in.json", tmp_path / "out.json") == 2
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [fan["fan_id"] for fan in written] == ["a", "b"]
    assert set(written[0]) == {
        "fan_id",
        "churn_risk",
        "ltv",
        "engagement",
        "upsell",
        "loyalty",
        "churn_probability",
        "reasons",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.json", "out.json"]


def test_the_output_may_be_the_input_and_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "fans.json"
    path.write_text(json.dumps(FANS), encoding="utf-8-sig")
    assert score_file("auto", path, path) == 2
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 2


BAD = {
    "not JSON": (b"{]", "is not JSON: "),
    "empty": (b"", "is not JSON: "),
    "an object": (b"{}", "must hold a JSON array"),
    "not UTF-8": (b"[\xff]", "is not UTF-8 text (byte 1)"),
    "nested too deep": (b"[" * 100_000, "nested too deep"),
    "a bad profile": (
        b'[{"fan_id":"a","ppv_open_rate":2}]',
        "fan 'a': ppv_open_rate must be a number from 0 to 1",
    ),
    "not a number": (b'[{"fan_id":"a","spend_30d":NaN}]', "fan 'a': spend_30d must be a number of dollars"),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, body: bytes, expected: str
) -> None:
    (tmp_path / "in.json").write_bytes(body)
    (tmp_path / "out.json").write_text("before", encoding="utf-8")
    with pytest.raises(ScoreFileError) as caught:
        score_file("reference", tmp_path / "in.json", tmp_path / "out.json")
    assert expected in str(caught.value)
    assert str(tmp_path / "in.json") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == "before"


def test_a_missing_file_an_unknown_model_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    fans = tmp_path / "in.json"
    with pytest.raises(ScoreFileError, match="cannot be read: No such file"):
        score_file("reference", fans, tmp_path / "out.json")
    fans.write_text("[]", encoding="utf-8")
    with pytest.raises(ScoreFileError, match="unknown score model 'x'"):
        score_file("x", fans, tmp_path / "out.json")
    with pytest.raises(ScoreFileError, match="cannot be written: No such file"):
        score_file("reference", fans, tmp_path / "none" / "out.json")
    with pytest.raises(ScoreFileError, match="is not a file"):
        score_file("reference", fans, tmp_path)
