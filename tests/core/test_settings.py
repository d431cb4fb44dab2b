"""URL, key and headers; errors; retries."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from langgraph_client import errors
from langgraph_client._core.connection import ssl_context, time_limits
from langgraph_client._core.failure import RetryPolicy, may_wait, retry_after, retry_pause
from langgraph_client._core.settings import API_KEY_HEADER, KEY_VARIABLES, settings_from
from langgraph_client._core.unset import UNSET
from langgraph_client.errors import InvalidArgumentError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEY_VARIABLES, "LANGGRAPH_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_url_comes_from_the_caller_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A given URL, else LANGGRAPH_URL, else the port that `langgraph up` serves."""
    assert settings_from(None, None, None).url == "http://localhost:8123"
    monkeypatch.setenv("LANGGRAPH_URL", "https://a.example/base/")
    assert settings_from(None, None, None).url == "https://a.example/base"
    assert settings_from("http://[::1]:8000", None, None).url == "http://[::1]:8000"


def test_the_key_comes_from_the_first_variable_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three variables in order; None turns them off; a given key wins."""
    assert API_KEY_HEADER not in settings_from(None, UNSET, None).headers
    for name in reversed(KEY_VARIABLES):
        monkeypatch.setenv(name, f"from {name}")
        assert settings_from(None, UNSET, None).headers[API_KEY_HEADER] == f"from {name}"
    assert API_KEY_HEADER not in settings_from(None, None, None).headers
    assert settings_from(None, "mine", None).headers[API_KEY_HEADER] == "mine"
    assert "mine" not in repr(settings_from("http://u:mine@h", "mine", None))
    monkeypatch.setenv(KEY_VARIABLES[0], ' ""')  # As an `.env` file of docker has an empty one.
    key = settings_from(None, UNSET, None).headers[API_KEY_HEADER]
    assert key == f"from {KEY_VARIABLES[1]}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "  ",
        "localhost:2024",
        "ftp://h",
        "http://",
        "http://h:port",
        "http://h?q=1",
        "http://ü..x",
        "http://a..b",
        3,
    ],
)
def test_a_bad_url_is_refused(url: Any) -> None:
    """A URL that cannot be right is refused, by the name of its parameter."""
    with pytest.raises(InvalidArgumentError, match=r"^url: "):
        settings_from(url, None, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": "k"},
        {"a": 1},
        {"": "x"},
        {"a": "é"},
        ["a"],
        {"a b": "x"},
        {"a:": "x"},
        {"a": " x"},
        {"a": "x\t"},
    ],
)
def test_a_bad_header_is_refused(headers: Any) -> None:
    """A reserved header, or one that cannot be sent."""
    with pytest.raises(InvalidArgumentError, match=r"^headers"):
        settings_from("http://h", None, headers)


def test_certificates_are_loaded_once_and_only_for_tls() -> None:
    """One context per process and settings; a plain server's has no certificates at all."""
    assert ssl_context(True, encrypted=True) is ssl_context(True, encrypted=True)
    assert ssl_context(True, encrypted=True) is not ssl_context(False, encrypted=True)
    assert ssl_context(True, encrypted=False).cert_store_stats()["x509"] == 0


def test_certificates_and_names_are_checked_by_default() -> None:
    """Only `verify=False` does without."""
    trusting = ssl_context(True, encrypted=True)
    assert (trusting.verify_mode, trusting.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert trusting.cert_store_stats()["x509"] > 0
    assert ssl_context(False, encrypted=True).verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("timeout", [0, -1, "1", (1, 2, 3), (0, None), True, float("nan")])
def test_a_bad_timeout_is_refused(timeout: Any) -> None:
    """A timeout is a number of seconds above 0, or two or four of them."""
    with pytest.raises(InvalidArgumentError, match=r"^timeout"):
        time_limits(timeout)


def test_pauses_double_and_the_server_s_word_wins() -> None:
    """The schedule: doubled, bounded, with jitter on top; `Retry-After` in its place."""
    policy = RetryPolicy(initial=1, maximum=5, jitter=0.5)
    assert [retry_pause(policy, n, None, 0) for n in (1, 2, 3, 4, 1000)] == [1, 2, 4, 5, 5]
    assert retry_pause(policy, 1, None, 1) == 1.5
    limited = errors.RateLimitError("", response=httpx.Response(429), retry_after=3)
    assert retry_pause(policy, 1, limited, 1) == 3
    assert may_wait(policy, limited)
    assert not may_wait(RetryPolicy(max_retry_after=2), limited)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after("Thu, 01 Jan 2026 00:00:09 GMT", now) == 9
    assert retry_after("7", now) == 7
    assert retry_after("soon", now) is None
    assert retry_after(f"Thu, 01 Jan 2026 00:00:09 +{'9' * 20}", now) is None
