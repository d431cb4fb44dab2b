"""Cron schedules: five fields, minute first, in a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: A leap day is never further off than that; what does not come by then never comes.
_HORIZON = timedelta(days=366 * 9)


class Schedule(NamedTuple):
    """When something is due: the values that each field of a moment may have."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    #: 0 is Sunday.
    weekdays: frozenset[int]
    #: Whether both kinds of day are restricted; then either one will do.
    either_day: bool

    def next_after(self, moment: datetime, zone: ZoneInfo | None = None) -> datetime:
        """Return the first moment after this one at which something is due, in UTC.

        A time that the zone's clocks skip is passed over; one they show twice counts once.

        Raises:
            ValueError: It never is, such as on the 30th of February.
        """
        place = zone or ZoneInfo("UTC")
        day = moment.astimezone(place).date()
        last = day + _HORIZON
        while day <= last:
            if self._has_day(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        local = datetime.combine(day, time(hour, minute), place)
                        due = local.astimezone(UTC)
                        skipped = due.astimezone(place).replace(tzinfo=None) != local.replace(
                            tzinfo=None
                        )
                        if due > moment and not skipped:
                            return due
            day += timedelta(days=1)
        raise ValueError("the schedule names no day that ever comes")

    def _has_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def parse(text: str) -> Schedule:
    """Return the schedule that a text of five fields says: `minute hour day month weekday`.

    A field is `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or several of these with
    commas between; months and weekdays may be named (`jan`, `mon`). Sunday is 0 or 7. Where both
    kinds of day are given either one will do.

    Raises:
        ValueError: The text is none.
    """
    fields = text.lower().split()
    if len(fields) != 5:
        raise ValueError(f"a schedule has five fields, this one has {len(fields)}")
    minute, hour, day, month, weekday = fields
    weekdays = frozenset(number % 7 for number in _field(weekday, 0, 7, _DAYS, 0))
    return Schedule(
        minutes=_field(minute, 0, 59),
        hours=_field(hour, 0, 23),
        days=_field(day, 1, 31),
        months=_field(month, 1, 12, _MONTHS, 1),
        weekdays=weekdays,
        either_day=not day.startswith("*") and not weekday.startswith("*"),
    )


def _field(
    text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        if span == "*":
            lowest, highest = low, high
        else:
            lowest = _number(start, names, first)
            highest = _number(end, names, first) if dash else high if slash else lowest
        width = int(step) if slash else 1
        if not (low <= lowest <= highest <= high and width >= 1):
            raise ValueError(f"{part!r} is not within {low}-{high}")
        found.update(range(lowest, highest + 1, width))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text) + first if text in names else int(text)
