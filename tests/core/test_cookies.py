"""Which cookies are sent where, and for how long: the rules of RFC 6265."""

from __future__ import annotations

import pytest

from langgraph_client._core.cookies import Cookies


class Time:
    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("path", "target", "is_sent"),
    [
        ("/", "/threads", True),
        ("/api", "/api", True),
        ("/api", "/api?limit=1", True),
        ("/api", "/api/threads", True),
        ("/api/", "/api/threads", True),
        ("/api", "/apis", False),
        ("/api/", "/api", False),
    ],
)
def test_a_path_is_one_of_whole_segments(path: str, target: str, is_sent: bool) -> None:
    """A cookie is sent to its path and to what is below it."""
    cookies = Cookies()
    cookies.take(f"node=a; Path={path}")
    assert cookies.header(target) == ("node=a" if is_sent else "")


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("node=a; Secure; HttpOnly; SameSite=None; Partitioned", "node=a"),
        ("node=a; Priority=High; Path=/", "node=a"),
        ("node=a; Expires=Sunday, 06-Nov-2094 08:49:37 GMT", "node=a"),
        ('node={"a":1}; Path=/', 'node={"a":1}'),
        ('node="a b"', 'node="a b"'),
        (" node = a=b ;Path=nothing", "node=a=b"),
        ("node=", "node="),
        ("node", ""),
        ("=a", ""),
        ("node=a\x01b", ""),
        ("node=\xe9", ""),
    ],
)
def test_what_servers_send_is_read(header: str, sent: str) -> None:
    """Unknown attributes are ignored, and the value is returned as it came."""
    cookies = Cookies()
    cookies.take(header)
    assert cookies.header("/") == sent


@pytest.mark.parametrize(
    "until",
    ["Max-Age=60", "Expires=Sun, 09 Sep 2001 01:47:40 GMT", "Max-Age=060; Expires=nonsense"],
)
def test_a_cookie_is_sent_until_it_expires(until: str) -> None:
    """Both ways to say when; the time is in seconds."""
    time = Time()
    cookies = Cookies(time)
    cookies.take(f"node=a; {until}")
    time.now += 59
    assert cookies.header("/") == "node=a"
    time.now += 1
    assert cookies.header("/") == ""


@pytest.mark.parametrize(
    "until", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_a_cookie_is_deleted_by_one_that_has_expired(until: str) -> None:
    """As servers delete cookies; `Max-Age` counts more than `Expires`."""
    cookies = Cookies(Time())
    cookies.take("node=a")
    cookies.take(f"node=; {until}")
    assert not cookies
    cookies.take("node=b; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    assert cookies.header("/") == "node=b"


def test_what_cannot_be_read_is_ignored() -> None:
    """A damaged header, and an expiry that is no time."""
    cookies = Cookies(Time())
    cookies.take("a,b\x00=c; =;")
    cookies.take("node=a; Max-Age=soon; Expires=never")
    assert cookies.header("/") == "node=a"


def test_a_max_age_of_many_digits_is_never_over() -> None:
    """A number that no float can hold keeps the cookie; a negative one deletes it."""
    cookies = Cookies(Time())
    cookies.take("node=a; Max-Age=" + "9" * 400)
    assert cookies.header("/") == "node=a"
    cookies.take("node=a; Max-Age=-" + "9" * 400)
    assert not cookies


def test_a_server_cannot_make_requests_ever_longer() -> None:
    """The latest cookies are kept, up to a number; one that is too long is not."""
    cookies = Cookies()
    for number in range(1000):
        cookies.take(f"c{number}=v")
    cookies.take("c999=w")
    cookies.take(f"long={'x' * 5000}")
    sent = cookies.header("/").split("; ")
    assert sent == [*(f"c{number}=v" for number in range(820, 999)), "c999=w"]
