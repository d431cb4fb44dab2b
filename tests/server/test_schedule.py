"""Cron schedules, by tables."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from langgraph_client.server.background.cron_schedule import Schedule

#: A Friday.
NOW = datetime(2026, 11, 20, 22, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * *", "2026-11-20T22:05"),
        ("*/15 * * * *", "2026-11-20T22:15"),
        ("4 22 * * *", "2026-11-21T22:04"),
        ("0 0 1 1 *", "2027-01-01T00:00"),
        ("30 6 * * 1", "2026-11-23T06:30"),
        ("30 6 * * mon", "2026-11-23T06:30"),
        ("0 12 * * 0", "2026-11-22T12:00"),
        ("0 12 * * 7", "2026-11-22T12:00"),
        ("0 12 * * 1-5", "2026-11-23T12:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("0 0 1 * fri", "2026-11-27T00:00"),
        ("0 0 25 dec *", "2026-12-25T00:00"),
        ("5,10 1-3/2 * * *", "2026-11-21T01:05"),
        ("0 8-18/2 * * *", "2026-11-21T08:00"),
        ("0 0 L * *", "2026-11-30T00:00"),
        ("0 9 * * mon-FRI", "2026-11-23T09:00"),
        ("@yearly", "2027-01-01T00:00"),
        ("@annually", "2027-01-01T00:00"),
        ("@monthly", "2026-12-01T00:00"),
        ("@Weekly", "2026-11-22T00:00"),
        (" @daily ", "2026-11-21T00:00"),
        ("@midnight", "2026-11-21T00:00"),
        ("@hourly", "2026-11-20T23:00"),
        ("0 0 ? * *", "2026-11-21T00:00"),
        ("0 0 1 * ?", "2026-12-01T00:00"),
        # Ranges around the end of the hour, the day, the month, the year and the week.
        ("50-3 0 * * *", "2026-11-21T00:00"),
        ("0 23-1 * * *", "2026-11-20T23:00"),
        ("0 21-2/4 * * *", "2026-11-21T01:00"),
        ("0 0 25-5 * *", "2026-11-25T00:00"),
        ("0 0 1 dec-feb *", "2026-12-01T00:00"),
        ("0 0 * * sat-mon", "2026-11-21T00:00"),
        ("0 0 * * 6-1/2", "2026-11-21T00:00"),
        ("0 0 * * 7-2", "2026-11-22T00:00"),
        ("0 0 * * tue-wed,sun-mon", "2026-11-22T00:00"),
    ],
)
def test_when_it_is_due(text: str, due: str) -> None:
    """The first minute behind the moment that fits every field."""
    assert Schedule(text).next_after(NOW).isoformat(timespec="minutes") == f"{due}+00:00"


@pytest.mark.parametrize(
    ("text", "zone", "moment", "due"),
    [
        ("0 0 1 1 *", "Europe/Berlin", "2026-11-20T00:00Z", "2026-12-31T23:00"),
        # Clocks skip 02:30 on the 29th of March, and show it twice on the 25th of October.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-30T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30Z", "2026-10-26T01:30"),
    ],
)
def test_in_a_time_zone(text: str, zone: str, moment: str, due: str) -> None:
    """Local time decides; hours that do not exist are passed over, doubled ones count once."""
    after = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    found = Schedule(text).next_after(after, ZoneInfo(zone))
    assert found.isoformat(timespec="minutes") == f"{due}+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "often",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "65-1 * * * *",
        "5-1/0 * * * *",
        "* * * 13-2 *",
        "* * * * 8-1",
        "? * * * *",
        "0 0 1,? * *",
        "@every 5m",
        "@reboot",
        "0 0 1W * *",
        "*/0 * * * *",
        "a * * * *",
        "1,, * * * *",
        "9" * 5000 + " * * * *",
        "",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    """A text that is not a schedule is refused."""
    with pytest.raises(ValueError):  # noqa: PT011
        Schedule(text)


def test_a_day_that_never_comes() -> None:
    """A schedule without a date is an error, not an endless search."""
    with pytest.raises(ValueError, match="ever comes"):
        Schedule("0 0 30 2 *").next_after(NOW)
