"""Cron schedules: five fields, minute first, in a time zone.

cronsim parses the expressions. Changes to and from summer time are handled here: cronsim moves a
skipped time to the next existing one, like Debian's cron, and the protocol leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_RANGE = re.compile(r"(\w+)-(\w+)(?:/(\d+))?", re.ASCII)


class NeverDueError(ValueError):
    """A schedule names no day that ever comes, such as the 30th of February."""

    def __init__(self) -> None:
        super().__init__("the schedule names no day that ever comes")


class _Field(NamedTuple):
    lowest: int
    highest: int
    #: How many different values there are; for weekdays, 0 and 7 are the same.
    size: int
    names: Sequence[str] = ()

    def number(self, text: str) -> int | None:
        """Return the value that a number or a name means; None if it is neither."""
        if text.upper() in self.names:
            return self.lowest + self.names.index(text.upper())
        return int(text) if text.isdecimal() else None

    def forward(self, term: str) -> str:
        """Return a range that goes beyond the highest value, as `fri-mon`, as its values.

        cronsim does not know such ranges. Everything else is returned as it is.
        """
        parts = _RANGE.fullmatch(term)
        if parts is None:
            return term
        first, last, step = self.number(parts[1]), self.number(parts[2]), int(parts[3] or 1)
        if first is None or last is None or step == 0:
            return term
        if not self.lowest <= last < first <= self.highest:
            return term
        values = range(first - self.lowest, last - self.lowest + self.size + 1, step)
        return ",".join(str(self.lowest + value % self.size) for value in values)


_FIELDS = (
    _Field(0, 59, 60),
    _Field(0, 23, 24),
    _Field(1, 31, 31),
    _Field(1, 12, 12, _MONTHS),
    _Field(0, 7, 7, _WEEKDAYS),
)
_DAYS = (2, 4)
"""The fields in which `?` means every day."""


class Schedule:
    """When something is due.

    Args:
        text: `minute hour day month weekday`. A field is `*`, a number, a range `a-b`, a step `*/n`
            or `a-b/n`, or several of these with commas between; months and weekdays may be named
            (`jan`, `mon`). Sunday is 0 or 7. Where both kinds of day are given either one will do.
            A range may go beyond the end: `22-2` are five hours. `?` is `*` for a kind of day.
            Instead of the fields: `@yearly`, `@monthly`, `@weekly`, `@daily` or `@hourly`.

    Raises:
        NeverDueError: It never is.
        ValueError: The text is no schedule.
    """

    def __init__(self, text: str) -> None:
        fields = _SHORTHANDS.get(text.strip().lower(), text).split()
        if len(fields) != 5:  # cronsim reads a sixth as seconds.
            raise ValueError(f"a schedule has five fields, this one has {len(fields)}")
        for day in _DAYS:
            fields[day] = "*" if fields[day] == "?" else fields[day]
        self._fields = [
            ",".join(field.forward(term) for term in given.split(","))
            for field, given in zip(_FIELDS, fields, strict=True)
        ]
        self._after(datetime(2000, 1, 1))

    def _after(self, moment: datetime) -> CronSim:
        try:
            return CronSim(" ".join(self._fields), moment)
        except CronSimError as error:
            minute, hour, day, _, weekday = self._fields
            with suppress(CronSimError):  # Is it the day, or that none of the months has it?
                CronSim(f"{minute} {hour} {day} * {weekday}", moment)
                raise NeverDueError from None
            raise ValueError(str(error)) from None

    def next_after(self, moment: datetime, zone: ZoneInfo | None = None) -> datetime:
        """Return the first moment after this one at which something is due, in UTC.

        A time that the zone's clocks skip is passed over; one they show twice counts once.

        Raises:
            NeverDueError: It never is.
        """
        place = zone or ZoneInfo("UTC")
        # Local times without a zone, so that cronsim does not apply its own rule for skipped ones.
        for shown in self._after(moment.astimezone(place).replace(tzinfo=None)):
            due = shown.replace(tzinfo=place).astimezone(UTC)
            skipped = due.astimezone(place).replace(tzinfo=None) != shown
            if due > moment and not skipped:
                return due
        raise NeverDueError
