"""Settings: every error at once, no secret printed, and `.env.example` agrees with what is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]
GOOD = {"DISCORD_TOKEN": "tok.en", "DISCORD_GUILD_ID": "42", "FANAPI_KEY": "k-secret"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def _env(tmp_path: Path, values: dict[str, str]) -> Path:
    path = tmp_path / ".env"
    path.write_text("".join(f"{k}={v}\n" for k, v in values.items()), encoding="utf-8")
    return path


def test_the_three_that_are_needed_are_enough(tmp_path: Path) -> None:
    settings = load_settings(_env(tmp_path, GOOD))
    assert settings.discord_guild_id == 42
    assert settings.read_fanapi_key().get_secret_value() == "k-secret"
    assert settings.score_model == "auto"


def test_every_error_is_told_at_once_and_names_its_setting(tmp_path: Path) -> None:
    bad = {
        "DISCORD_GUILD_ID": "my server",
        "FANAPI_BASE_URL": "http://api.example.com",
        "DATABASE_URL": "mysql://x",
        "SCORE_MODEL": "magic",
        "POLL_MINUTES": "0",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(_env(tmp_path, bad))
    named = {problem.split(":")[0] for problem in caught.value.problems}
    assert named >= {
        "DISCORD_TOKEN",
        "DISCORD_GUILD_ID",
        "FANAPI_BASE_URL",
        "DATABASE_URL",
        "SCORE_MODEL",
        "POLL_MINUTES",
        "FANAPI_KEY or FANAPI_KEY_FILE",
    }
    assert not any("\n" in problem for problem in caught.value.problems)


@pytest.mark.parametrize("both", [{}, {"FANAPI_KEY": "a", "FANAPI_KEY_FILE": "b"}])
def test_exactly_one_way_to_give_the_key(tmp_path: Path, both: dict[str, str]) -> None:
    env = {k: v for k, v in GOOD.items() if k != "FANAPI_KEY"} | both
    with pytest.raises(SettingsError, match="FANAPI_KEY or FANAPI_KEY_FILE"):
        load_settings(_env(tmp_path, env))


def test_the_key_may_be_in_a_file(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("from-a-file\n", encoding="utf-8")
    env = {k: v for k, v in GOOD.items() if k != "FANAPI_KEY"} | {"FANAPI_KEY_FILE": str(key_file)}
    assert load_settings(_env(tmp_path, env)).read_fanapi_key().get_secret_value() == "from-a-file"


@pytest.mark.parametrize("content", [None, "", "two words"])
def test_a_key_file_that_cannot_be_used_says_so(tmp_path: Path, content: str | None) -> None:
    key_file = tmp_path / "key"
    if content is not None:
        key_file.write_text(content, encoding="utf-8")
    env = {k: v for k, v in GOOD.items() if k != "FANAPI_KEY"} | {"FANAPI_KEY_FILE": str(key_file)}
    with pytest.raises(SettingsError, match="FANAPI_KEY_FILE"):
        load_settings(_env(tmp_path, env))


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    settings = load_settings(_env(tmp_path, GOOD))
    assert "tok.en" not in repr(settings)
    assert "k-secret" not in repr(settings)


def test_a_refused_token_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(_env(tmp_path, GOOD | {"DISCORD_TOKEN": '"se cret"'}))
    assert "DISCORD_TOKEN" in str(caught.value)
    assert "se cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/fanapi", "http://localhost/x", "https://api.fansapi.com"]
)
def test_plain_http_is_for_this_machine_only(tmp_path: Path, url: str) -> None:
    assert load_settings(_env(tmp_path, GOOD | {"FANAPI_BASE_URL": url})).fanapi_base_url == url


@pytest.mark.parametrize(
    ("kind", "said", "a_minute"),
    [("fansapi", None, 1000), ("ofapi_ai", None, 60), ("ofapi_ai", "300", 300), ("ofapi_ai", "1000", 1000)],
)
def test_how_fast_each_api_may_be_asked(tmp_path: Path, kind: str, said: str | None, a_minute: int) -> None:
    env = GOOD | {"FANAPI_KIND": kind, "FANAPI_BASE_URL": "https://api.example.com"}
    if said is not None:
        env["FANAPI_REQUESTS_PER_MINUTE"] = said
    assert load_settings(_env(tmp_path, env)).requests_per_minute() == a_minute


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"DISCORD_TOKEN=\xff\xfe\xfa")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(path)


def test_the_example_names_every_setting_with_its_default(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, flags=re.MULTILINE))
    assert set(named) == {name.upper() for name in Settings.model_fields}
    settings = load_settings(ROOT / ".env.example")
    for name, value in re.findall(r"^#([A-Z][A-Z_]+)=(.*)$", text, flags=re.MULTILINE):
        if name in ("FANAPI_KEY_FILE", "ROSTER_FILE", "CLOCK_URL"):
            continue
        default = getattr(settings, name.lower())
        shown = "" if default is None else str(default)
        assert (shown.lower() if isinstance(default, bool) else shown) == value, name
