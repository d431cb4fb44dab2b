"""Counters and histograms for `/metrics`."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Histogram:
    """Counts durations in seconds by upper bounds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        """Return the histogram in Prometheus' text format."""
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip(_BOUNDS, self._counts, strict=False):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        total += self._counts[-1]
        yield f'{name}_bucket{{le="+Inf"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """The counts of one process since its start."""

    def __init__(self) -> None:
        #: Seconds from the time when a run is due to its start.
        self.start_delays = Histogram()
        #: Seconds from an event to its commit in the database, for events that are stored.
        self.event_write_delays = Histogram()
        self._ended: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str, int]] = Counter()

    def run_ended(self, status: str) -> None:
        """Count a run that is over."""
        self._ended[status] += 1

    def count_response(self, method: str, route: str, status: int) -> None:
        """Count a response."""
        self._requests[method, route, status] += 1

    def lines(self) -> Iterator[str]:
        """Return all counts in Prometheus' text format."""
        yield "# TYPE langgraph_runs_ended_total counter"
        for status, count in sorted(self._ended.items()):
            yield f'langgraph_runs_ended_total{{status="{status}"}} {count}'
        yield from self.start_delays.lines("langgraph_claim_seconds")
        yield from self.event_write_delays.lines("langgraph_event_seconds")
        yield "# TYPE langgraph_requests_total counter"
        for (method, route, code), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{route}",status="{code}"'
            yield f"langgraph_requests_total{{{labels}}} {count}"


def gauges(name: str, label: str, values: Mapping[str, float]) -> Iterable[str]:
    """Return gauges in Prometheus' text format."""
    return [
        f"# TYPE {name} gauge",
        *(f'{name}{{{label}="{key}"}} {value}' for key, value in values.items()),
    ]
