"""Cron schedules: five fields, minute first, in a time zone.

cronsim parses the expressions. Changes to and from summer time are handled here: cronsim moves a
skipped time to the next existing one, like Debian's cron, and the protocol leaves it out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError


class Schedule:
    """When something is due.

    Args:
        text: `minute hour day month weekday`. A field is `*`, a number, a range `a-b`, a step `*/n`
            or `a-b/n`, or several of these with commas between; months and weekdays may be named
            (`jan`, `mon`). Sunday is 0 or 7. Where both kinds of day are given either one will do.

    Raises:
        ValueError: The text is no schedule.
    """

    def __init__(self, text: str) -> None:
        fields = text.split()
        if len(fields) != 5:  # cronsim reads a sixth as seconds.
            raise ValueError(f"a schedule has five fields, this one has {len(fields)}")
        self._text = text
        self._after(datetime(2000, 1, 1))

    def _after(self, moment: datetime) -> CronSim:
        try:
            return CronSim(self._text, moment)
        except CronSimError as error:
            never = ", or it names no day that ever comes" if "day-of-month" in str(error) else ""
            raise ValueError(f"{error}{never}") from None

    def next_after(self, moment: datetime, zone: ZoneInfo | None = None) -> datetime:
        """Return the first moment after this one at which something is due, in UTC.

        A time that the zone's clocks skip is passed over; one they show twice counts once.

        Raises:
            ValueError: It never is.
        """
        place = zone or ZoneInfo("UTC")
        # Local times without a zone, so that cronsim does not apply its own rule for skipped ones.
        for shown in self._after(moment.astimezone(place).replace(tzinfo=None)):
            due = shown.replace(tzinfo=place).astimezone(UTC)
            skipped = due.astimezone(place).replace(tzinfo=None) != shown
            if due > moment and not skipped:
                return due
        raise ValueError("the schedule names no day that ever comes")
