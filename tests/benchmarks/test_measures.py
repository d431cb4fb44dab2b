"""The benchmarks work. How fast anything is, no test says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

SMALL = """
import sys
sys.path[:0] = [{here!r}, {graphs!r}]
import measures
from hosted import paced, trivial, writer
from langgraph_client.server.server import Server

with Server({{"trivial": trivial, "writer": writer, "paced": paced}}) as server:
    subject = measures.Subject(
        "http://server", server.transport, server.async_transport, times=5, events=50, threads=20
    )
    measures.fill(subject)
    port = measures.Subject(server.listen(), times=5)
    assert measures.fifty(port) > 0
    for name in ("wait", "fifty", "first_event", "custom_events", "smallest_gap",
                 "create_threads", "thread_state", "search"):
        assert getattr(measures, name)(subject) > 0, name
"""


def test_every_measure_gives_a_number() -> None:
    """Each measure can be taken of the bundled server; in a process of its own, as `make bench`."""
    program = SMALL.format(here=str(HERE), graphs=str(HERE / "graphs"))
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_the_measures_of_replies_give_numbers() -> None:
    """Decoding and reading replies can be measured."""
    program = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import replies;"
        "assert min(replies.decoding(10, 1, 3)) > 0; assert replies.reading(10) > 0"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_every_row_of_the_client_can_be_measured() -> None:
    """One small round of each kind of row, of our client and of what it is measured beside."""
    program = f"""
import sys
sys.path[:0] = [{str(HERE / "client")!r}]
import run
table = [row for row in run.rows() if row.name in (
    "GET, 50 at a time, async", "SSE, 103 KB values, sync", "first event, async",
    "decode a search of 1,000 threads (beside orjson)")]
assert len(table) == 4
for row in table:
    row.subjects = ("httpx", "ours", "socket") if row.subjects[0] == "theirs" else row.subjects
    row.job |= {{"count": 60, "spec": row.job.get("spec", "").replace("500:", "20:", 1)}}
run.measure(table, 1, lambda text: None)
assert all(row.ratio("ours")[0] > 0 for row in table)
assert len(list(run.markdown(table))) == 8
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)
