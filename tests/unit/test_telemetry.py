"""Logs: to standard error, and without the value of anything that looks like a secret."""

import logging
from collections.abc import Iterator

import pytest

from roost import telemetry
from roost.telemetry import log_to_stderr, observe, reached, scrub

TOKEN = "dGhpcy1pcy1hLXRva2VuOjE3OTU1MjE2"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "text",
    [
        f"access_token={TOKEN}",
        f"grant_type=refresh_token&refresh_token={TOKEN}&client_id=me",
        f'{{"access_token": "{TOKEN}", "expires_in": 7200}}',
        f"{{'accessToken': '{TOKEN}'}}",
        f"code={TOKEN}",
        f"code_verifier: {TOKEN}",
        f"client_secret = {TOKEN}",
        f"Bearer {TOKEN}",
        f"Authorization: Bearer {TOKEN}",
        f"Authorization: Basic {TOKEN}",
        f"{{'Authorization': 'Bearer {TOKEN}'}}",
        f"authorization=Bearer {TOKEN}",
        f'OAuth oauth_token="{TOKEN}", oauth_version="1.0"',
        f"TWITTER_CLIENT_SECRET={TOKEN}",
        f"ROOST_KEYS=k1:{TOKEN}",
        f"postgresql://roost:{TOKEN}@db.example/roost",
        f"host=db.example password={TOKEN} dbname=roost",
    ],
)
def test_scrub_takes_secrets_out(text: str) -> None:
    assert TOKEN not in scrub(text)
    assert "***" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "post 17 is published",
        "error code: the message stays",
        "postgresql://roost@db.example/roost",
        "token_expires_at=2026-11-23T12:00:00+00:00",
    ],
)
def test_scrub_leaves_the_rest(text: str) -> None:
    assert scrub(text).split()[-1] == text.split()[-1]


def test_scrub_keeps_what_stands_around_a_secret() -> None:
    told = scrub(f"POST /2/oauth2/token refresh_token={TOKEN}&client_id=me answered 400")
    assert told == "POST /2/oauth2/token refresh_token=***&client_id=me answered 400"


def test_the_log_goes_to_standard_error_scrubbed(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr()
    try:
        raise ValueError(f"access_token={TOKEN}")
    except ValueError:
        logging.getLogger("roost.test").exception("refresh_token=%s", TOKEN)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "ERROR roost.test refresh_token=***" in shown.err
    assert "ValueError" in shown.err
    assert TOKEN not in shown.err


def test_the_job_engine_does_not_tell_every_job(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_stderr()
    logging.getLogger("procrastinate.worker").info("a job with its arguments")
    logging.getLogger("roost.test").info("a line of ours")
    shown = capsys.readouterr().err
    assert "arguments" not in shown
    assert "a line of ours" in shown


def test_observers_hear_each_step_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_observers", [])
    heard: list[str] = []
    observe(heard.append)
    reached("upload.before_send")
    reached("create.before_send")
    assert heard == ["upload.before_send", "create.before_send"]
