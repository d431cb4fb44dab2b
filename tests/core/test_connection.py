"""Time limits, TLS settings and proxies as a caller gives them."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest

from langgraph_client._core.connection import Steps, has_proxy, ssl_context, time_limits
from langgraph_client.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        (7, Steps(7, 7, 7, 7)),
        ((5, None), Steps(5, None)),
        (float("inf"), Steps()),
        ((5, 1e10), Steps(5, None)),
        (httpx.Timeout(1e12, connect=3), Steps(3, None, None, None)),
        ((1, 2.5, None, 4), Steps(1, 2.5, None, 4)),
        (3_000_000, Steps(2e6, 2e6, 2e6, 2e6)),
        (httpx.Timeout(3, read=None), Steps(3, None, 3, 3)),
    ],
)
def test_limits_of_steps(given: Any, steps: Steps) -> None:
    """A number is the limit of each step; a tuple and httpx's class name the steps.

    None is longer than a socket can wait.
    """
    assert time_limits(given).steps == steps


@pytest.mark.parametrize("deadline", [float("inf"), 1e12])
def test_a_deadline_that_nobody_lives_to_see_is_none(deadline: float) -> None:
    """Sockets take no such number of seconds."""
    assert time_limits(7, deadline).whole is None


@pytest.mark.parametrize(
    "given",
    [
        0,
        -1,
        True,
        float("nan"),
        "7",
        (1,),
        (1, 2, 3),
        (1, "2"),
        httpx.Timeout(-1),
    ],
)
def test_what_is_no_limit(given: Any) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidArgumentError) as refused:
        time_limits(given)
    assert refused.value.parameter == "timeout"


@pytest.mark.parametrize("given", [0, "soon", float("nan")])
def test_what_is_no_deadline(given: Any) -> None:
    """A deadline is a positive number of seconds; anything else is refused by its name."""
    with pytest.raises(InvalidArgumentError) as refused:
        time_limits(7, given)
    assert refused.value.parameter == "deadline"


def test_a_context_is_taken_as_it_is() -> None:
    """It is the caller's."""
    own = ssl.create_default_context()
    assert ssl_context(own, encrypted=True) is own
    assert ssl_context(own, encrypted=False) is own


def test_who_is_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody without TLS; else certifi's list, or one of the environment or of `verify`."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert ssl_context(True, encrypted=False).cert_store_stats()["x509_ca"] == 0
    usual = ssl_context(True, encrypted=True)
    assert usual.cert_store_stats()["x509_ca"] > 50
    assert usual.verify_mode is ssl.CERT_REQUIRED
    assert ssl_context(False, encrypted=True).verify_mode is ssl.CERT_NONE
    one = tmp_path / "one.pem"
    text = Path(certifi.where()).read_text("ascii")
    end = "-----END CERTIFICATE-----"
    one.write_text(text[text.index("-----BEGIN") : text.index(end)] + end, "ascii")
    assert ssl_context(str(one), encrypted=True).cert_store_stats()["x509_ca"] == 1
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nothing"))
    assert ssl_context(True, encrypted=True).cert_store_stats()["x509_ca"] == 0
    monkeypatch.setenv("SSL_CERT_FILE", str(one))
    assert ssl_context(True, encrypted=True).cert_store_stats()["x509_ca"] == 1
    with pytest.raises(InvalidArgumentError, match="verify"):
        ssl_context(1, encrypted=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "named", "has"),
    [
        ("https://a.example", {"https": "http://p"}, True),
        ("https://a.example", {"http": "http://p"}, False),
        ("ws://a.example", {"all": "http://p"}, True),
        ("https://a.example", {}, False),
        ("http://localhost:2024", {"all": "http://p"}, False),
        ("http://x.localhost", {"all": "http://p"}, False),
        ("http://127.1.2.3", {"all": "http://p"}, False),
        ("http://127.evil.example", {"all": "http://p"}, True),
        ("http://[::1]:1", {"all": "http://p"}, False),
    ],
)
def test_who_is_reached_by_a_proxy(url: str, named: dict[str, str], has: bool) -> None:
    """The one for the scheme, or the one for all; never for this machine."""
    assert has_proxy(url, named) is has


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_proxies_of_the_environment(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems with settings of their own are asked for these, too."""
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "http://of-the-system"})
    assert has_proxy("https://a.example") is (platform == "darwin")
    monkeypatch.setenv("HTTPS_PROXY", "http://p")
    assert has_proxy("https://a.example")
