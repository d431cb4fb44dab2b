"""Everything that can go wrong on the wire, by name."""

from __future__ import annotations

from collections.abc import Callable

from langgraph_client.testing import Faults

FAULTS: dict[str, Callable[[Faults], object]] = {
    "none": lambda f: None,
    "refused once": lambda f: f.refuse(times=1),
    "refused always": lambda f: f.refuse(),
    "too many once": lambda f: f.refuse(status=429, retry_after=0, times=1),
    "failed once": lambda f: f.refuse(status=500, times=1),
    "unreachable once": lambda f: f.unreachable(times=1),
    "unreachable always": lambda f: f.unreachable(),
    "reset once": lambda f: f.disconnect(times=1),
    "answer lost once": lambda f: f.disconnect(delivered=True, times=1),
    "answer lost always": lambda f: f.disconnect(delivered=True),
    "cut at once": lambda f: f.cut_after(bytes=0, times=1),
    "cut": lambda f: f.cut_after(bytes=150, times=1),
    "cut always": lambda f: f.cut_after(bytes=150),
    "cut events": lambda f: f.cut_after(events=2, times=3),
    "cut events always": lambda f: f.cut_after(events=2),
    "closed": lambda f: f.cut_after(bytes=150, clean=True, times=1),
    "closed events": lambda f: f.cut_after(events=2, clean=True, times=2),
    "doubled": lambda f: f.duplicate(),
    "damaged begin": lambda f: f.corrupt(byte=0, times=1),
    "damaged": lambda f: f.corrupt(byte=77),
    "dripped": lambda f: f.drip(bytes=7),
    "shuffled": lambda f: f.shuffle_headers(),
    "late": lambda f: f.delay(0.001),
    "stalled": lambda f: f.stall(times=1),
    "stalled body": lambda f: f.stall(bytes=1, times=1),
    "stalled events": lambda f: f.stall(events=2, times=1),
}
HARMLESS = ("none", "unreachable once", "dripped", "shuffled", "late")
# The bytes that arrive are not those that were sent, and nothing in the protocol can tell.
UNTOLD = ("doubled", "damaged begin", "damaged")
