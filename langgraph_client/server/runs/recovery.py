"""Decide what happens to a run that an earlier process left pending or running.

If a process is killed again and again, all its runs are killed with it, and it is not known which
run is the cause. After two kills at the same step, a run is a suspect. Suspects are executed one at
a time, so that the third kill identifies the run that causes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_client.server.runs.run_states import Action, Outcome, status_after
from langgraph_client.server.storage.protocol import Document, Mark

MAX_KILLS = 3
"""How many times the process may be killed during the same step of a run before the run fails."""
MAX_KILLS_SHARED = 5
"""Likewise if several processes share a database: there, processes are stopped more often."""
_DISCONNECTED = "the server stopped, and with it the connection (on_disconnect=cancel)"


@dataclass(frozen=True)
class Decision:
    """The decision about a run after a restart."""

    #: The new document of the run.
    run: Document
    #: How the run ends; None if it is executed again.
    outcome: Outcome | None = None
    #: The reason, for the thread's document.
    reason: str = ""
    #: The new run control; None if it does not change.
    control: Document | None = None
    #: Whether it must be executed while no other suspect is.
    suspect: bool = False


def decide(
    run: Document,
    control: Document,
    latest: str | None,
    max_kills: int = MAX_KILLS,
    *,
    has_connection: bool = False,
) -> Decision:
    """Decide what happens to a run.

    Args:
        run: Its document, `pending` or `running`. A normal shutdown leaves runs `pending`, so a
            `running` one was running when its process was killed.
        control: The run control: an accepted request to stop it (`stop`, `reason`), whether it
            ends with its connection (`bound`), how often it was killed (`kills`) and at which
            checkpoint (`at`). Other fields are kept, see `with_mark`.
        latest: The id of its thread's latest checkpoint.
        max_kills: How many times the process may be killed during the same step.
        has_connection: Whether the process that has the run's connection is alive. That one stops
            the run if the client disconnects.
    """
    # First: the client that got a reply to its stop relies on it, however the process has ended.
    if control.get("stop"):
        return Decision(run, Outcome(control["stop"]), str(control.get("reason", "")))
    if control.get("bound") and not has_connection:
        return Decision(run, Outcome("interrupt"), _DISCONNECTED)
    if run["status"] == "pending":
        return Decision(run, suspect=control.get("kills") == max_kills - 1)
    # A run that has made progress since the last kill did not cause it.
    same_place = "kills" in control and control.get("at") == latest
    kills = control["kills"] + 1 if same_place else 1
    if kills >= max_kills:
        message = (
            f"The server process was killed {kills} times while this run was at the same step; the"
            " run is not tried again"
        )
        error = {"error": "RunGivenUp", "message": message}
        return Decision(run, Outcome("fail", error, log_text=message))
    requeued = {**run, "status": status_after("running", "requeue")}
    suspect = kills == max_kills - 1
    return Decision(requeued, control={**control, "kills": kills, "at": latest}, suspect=suspect)


def without_control(run: Document) -> Decision:
    """Decide that a run ends as an error, because its run control is damaged.

    It may have been stopped, and it is not known how often it was killed. So it must not go on.
    """
    message = (
        "What the server has noted about this run is damaged, such as a request to stop it; the run"
        " is not executed"
    )
    error = {"error": "RunGivenUp", "message": message}
    return Decision(run, Outcome("fail", error, log_text=message))


def new_control(run: Document) -> Document:
    """Return the run control of a run without anything to note yet: its ids."""
    return {"run_id": run["run_id"], "thread_id": run["thread_id"]}


def with_mark(run: Document, control: Document | None, mark: Mark) -> Document:
    """Return a run control together with the state before the run's first attempt.

    A rollback undoes all writes after this mark, also those of an attempt whose process was killed.

    Args:
        run: The run's document.
        control: The stored run control; None if there is none.
        mark: The mark; see `ThreadStates.mark`.
    """
    return {**(control or new_control(run)), "mark": mark}


def outweighs(action: Action, earlier: Action | None) -> bool:
    """Return whether a request to stop a run changes its end, after an earlier request.

    The first request counts, but an interrupt keeps what a later rollback can still undo.
    """
    return earlier is None or (earlier == "interrupt" and action == "rollback")


def with_end(run: Document, mark: Mark, latest: str | None) -> Document:
    """Return the notes that remain of a run that is over.

    If it has gone on from an older checkpoint, its deletion also undoes its writes to that one. By
    the notes, `needs_own_saver` also knows a thread with a state that its document does not show.

    Args:
        run: The run's document.
        mark: The mark before its first attempt; see `ThreadStates.mark`.
        latest: The id of its thread's latest checkpoint.
    """
    return {**new_control(run), "mark": mark, "latest": latest}


def with_stop(
    run: Document, control: Document | None, action: Action, reason: str, *, delete: bool = False
) -> Document:
    """Return a run control together with a request to stop the run.

    A request that an earlier one outweighs changes nothing, unless it deletes the run.

    Args:
        run: The run's document.
        control: The stored run control; None if there is none.
        action: How the run must end.
        reason: The reason, for the thread's document.
        delete: Whether the run is deleted.
    """
    control = control or new_control(run)
    if not delete and not outweighs(action, control.get("stop")):
        return control
    stop = {"stop": action, "reason": reason, **({"delete": True} if delete else {})}
    return {**control, **stop}
