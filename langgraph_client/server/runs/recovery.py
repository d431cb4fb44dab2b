"""What becomes of a run that an earlier process left pending or running.

When a process is killed again and again, all runs that it had taken up have been killed with it.
After two kills at the same place a run is a suspect, and suspects are carried out one after the
other: the third kill meets the run that causes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_client.server.runs.run_states import Outcome, status_after
from langgraph_client.server.storage.protocol import Document

MAX_KILLS = 3
"""How many processes a run may end at the same place before it is given up."""
MAX_KILLS_SHARED = 5
"""The same where several share a database: they come and go, and more deaths have other causes."""
_DISCONNECTED = "the server stopped, and with it the connection (on_disconnect=cancel)"


@dataclass(frozen=True)
class Decision:
    """What becomes of a run."""

    #: The run's document from here on.
    run: Document
    #: How it ends; None if it is taken up again.
    outcome: Outcome | None = None
    #: What the thread says about that.
    reason: str = ""
    #: What is to be noted about the run; None for nothing new.
    control: Document | None = None
    #: It is carried out while no other suspect is.
    suspect: bool = False


def decide(
    run: Document, control: Document, latest: str | None, max_kills: int = MAX_KILLS
) -> Decision:
    """Decide what becomes of a run.

    Args:
        run: Its document, `pending` or `running`. An orderly stop leaves runs `pending`, so one
            that is `running` was running when its process was killed.
        control: What is noted about it: an answered request to stop it (`stop`, `reason`), that it
            ends with its connection (`bound`), how often it was killed (`kills`) and at which
            checkpoint (`at`).
        latest: The id of its thread's latest checkpoint.
        max_kills: How many processes it may end at the same place before it is given up.
    """
    if control.get("stop"):
        return Decision(run, Outcome(control["stop"]), str(control.get("reason", "")))
    if control.get("bound"):
        return Decision(run, Outcome("interrupt"), _DISCONNECTED)
    if run["status"] == "pending":
        return Decision(run, suspect=control.get("kills") == max_kills - 1)
    # A run that has got further since it was killed last is not what kills the process.
    same_place = "kills" in control and control.get("at") == latest
    kills = control["kills"] + 1 if same_place else 1
    if kills >= max_kills:
        message = (
            f"The server process has ended {kills} times while this run was at the same step; the"
            " run is not tried again"
        )
        error = {"error": "RunGivenUp", "message": message}
        return Decision(run, Outcome("fail", error, log_text=message))
    requeued = {**run, "status": status_after("running", "requeue")}
    suspect = kills == max_kills - 1
    return Decision(requeued, control={**control, "kills": kills, "at": latest}, suspect=suspect)
