"""Errors: caught as what programs catch, made as tests make them, without a key."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from langgraph_client import errors
from langgraph_client._async._httpx import no_answer
from langgraph_client._core.failure import status_error
from langgraph_client.errors import InvalidArgumentError

KEY = "lsv2_s3cret"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = httpx.Request("POST", "http://h/threads", headers={"x-api-key": KEY})
REFUSED = httpx.Response(409, request=REQUEST, headers={"x-request-id": "42"})


def connection_error(cause: httpx.TransportError, *, method: str, url: str) -> errors.APIError:
    """The error that callers see."""
    return no_answer(cause, method, url).as_error(method, url)


@pytest.mark.parametrize(
    "cause",
    [
        httpx.ConnectError,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        httpx.ConnectTimeout,
        httpx.ReadTimeout,
        httpx.PoolTimeout,
    ],
)
def test_a_lost_connection_is_caught_as_httpx_s(cause: type[httpx.TransportError]) -> None:
    """By the class of httpx that says what happened, by its bases, and by ours."""
    error = connection_error(cause("no", request=REQUEST), method="POST", url="http://h/threads")
    late = issubclass(cause, httpx.TimeoutException)
    for kind in (
        cause,
        httpx.TransportError,
        httpx.HTTPError,
        errors.APITimeoutError if late else errors.APIConnectionError,
        errors.LangGraphError,
    ):
        with pytest.raises(kind):
            raise error
    assert isinstance(error, httpx.TimeoutException) is late
    assert type(error).__name__ == ("APITimeoutError" if late else "APIConnectionError")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert str(error).endswith("(POST http://h/threads)")


def test_a_refusal_is_an_http_status_error() -> None:
    """With its request and response, the server's words first, and no key in either."""
    body = b'{"error": {"message": "busy"}, "code": "busy", "param": "x", "type": 3}'
    headers = {"content-type": "application/json", "x-request-id": "42", "retry-after": "7"}
    with pytest.raises(httpx.HTTPStatusError) as caught:
        raise status_error(
            method="POST",
            url="http://h/threads",
            status=409,
            headers=headers,
            content=body,
            now=NOW,
        )
    error = caught.value
    assert isinstance(error, errors.ConflictError)
    assert str(error) == "busy"
    assert error.__notes__ == ["409, POST http://h/threads"]
    assert (error.message, error.code, error.param, error.type) == ("busy", "busy", "x", None)
    assert (error.request_id, error.retry_after) == ("42", 7)
    assert error.response.status_code == error.status_code == 409
    assert error.response.json() == error.body
    assert error.request.method == "POST"
    assert "x-api-key" not in error.request.headers


def test_a_refusal_keeps_headers_that_are_not_ascii() -> None:
    """As text of UTF-8 or Latin-1, whichever the server sent."""
    for name in ("café", "日本", "café".encode().decode("latin-1")):
        error = status_error(
            method="GET", url="http://h", status=404, headers={"x-note": name}, content=b"", now=NOW
        )
        assert error.response.headers["x-note"] in ("café", "日本")


def test_a_cause_loses_the_headers_of_its_request() -> None:
    """The key cannot be reached through `__cause__` either."""
    cause = httpx.ConnectError("refused", request=REQUEST)
    connection_error(cause, method="POST", url="http://h/threads")
    assert KEY not in str(cause.request.headers)
    assert str(cause.request.url) == "http://h/threads"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "no such thread"}', "no such thread"),
        (b'{"message": "m", "detail": "d"}', "m"),
        (b'{"error": "bad"}', "bad"),
        (b'{"detail": [{"loc": ["a"]}]}', "[{'loc': ['a']}]"),
        (b"plain text", "plain text"),
        (b"", "409 Conflict"),
        (b"{}", "409 Conflict"),
        (b"<html><title>nginx</title></html>", "409 Conflict"),
        (b'{"detail": "<lambda>() takes no arguments"}', "<lambda>() takes no arguments"),
    ],
)
def test_the_message_is_what_the_server_said(body: bytes, words: str) -> None:
    """The words under the usual keys, or the whole body; the status if it is empty or a page."""
    error = status_error(
        method="GET", url="http://h", status=409, headers={}, content=body, now=NOW
    )
    assert error.message == words
    assert str(error).startswith(words)


def test_errors_are_made_in_tests_as_with_the_sdk() -> None:
    """The constructors of `langgraph_sdk.errors` make the same errors."""
    error = errors.ConflictError("busy", response=REFUSED, body={"code": "c"})
    assert (error.response, error.request, error.code) == (REFUSED, REQUEST, "c")
    assert (error.status_code, error.request_id) == (409, "42")
    assert errors.NotFoundError("gone", response=httpx.Response(404), body=None).message == "gone"
    lost = errors.APIConnectionError(message="lost", request=REQUEST)
    assert (lost.message, lost.request) == ("lost", REQUEST)
    assert errors.APITimeoutError(REQUEST).request is REQUEST
    assert errors.APIError("odd", REFUSED, body=None).request is REQUEST
    odd = errors.APIResponseValidationError(REFUSED, {"a": 1}, message="odd")
    assert (odd.message, odd.body, odd.status_code) == ("odd", {"a": 1}, 409)
    assert isinstance(odd, ValueError)  # As the error of bad JSON of other clients.


@pytest.mark.parametrize(
    "error",
    [
        errors.APIConnectionError("no", method="GET", url="u"),
        errors.APITimeoutError("no", method="GET", url="http://[::bad"),
        errors.APIResponseValidationError("no", method="GET", url="u", body="b"),
        errors.ConflictError("busy", response=REFUSED, body={"a": 1}),
        errors.StreamIncomplete("cut", run_id="r", last_event_id="1-0"),
        errors.RemoteException("ValueError", "no", run_id="r", node="n"),
        errors.InvalidArgumentError("input.a", "no"),
        errors.MissingExtraError("Server", "server"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error: errors.LangGraphError) -> None:
    """An error comes out of a pickle with its type, its message and all it knew."""
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is type(error)
    assert str(other) == str(error)
    assert known(other) == known(error)
    assert isinstance(error, errors.LangGraphError)


def known(error: Exception) -> dict[str, Any]:
    return {
        name: (value.method, value.url) if isinstance(value, httpx.Request) else value
        for name, value in vars(error).items()
        if not isinstance(value, httpx.Response)
    }


def test_bad_input_is_a_value_error_and_a_type_error() -> None:
    """Code that catches the built-in ones catches ours; an extra's error is an ImportError."""
    assert issubclass(InvalidArgumentError, ValueError)
    assert issubclass(InvalidArgumentError, TypeError)
    assert issubclass(errors.MissingExtraError, ImportError)
    assert "pip install" in str(errors.MissingExtraError("Server", "server"))
