"""Identify the run of a thread that is being read. No I/O."""

from __future__ import annotations

from langgraph_client._core.run_log import Run, Status, ThreadLog, failure

#: The statuses of runs that nobody stopped, and the ends that their events tell.
OVER: dict[str, Status] = {"success": "completed", "error": "failed", "timeout": "failed"}


class CurrentRun:
    """Identifies a run by its id or, if the server does not send ids, by its place on the thread.

    Args:
        run_id: Its id; None if it is not known.
        number: Its index among the known runs of the thread.
        succeeded: Whether the server has reported that the run ended with success.
    """

    def __init__(self, run_id: str | None, number: int, *, succeeded: bool = False) -> None:
        self.run_id = run_id
        self.succeeded = succeeded
        self._number = number

    def find(self, log: ThreadLog) -> Run | None:
        """Return the run, once it has begun."""
        # The events of such a run do not name it, so it is the newest one.
        if log.runs and log.runs[-1].is_nameless:
            return log.runs[-1]
        if self.run_id is not None:
            return log.run(self.run_id)
        return log.runs[self._number] if len(log.runs) > self._number else None

    def end(self, log: ThreadLog, status: str) -> None:
        """End a run that is over on the server although no event said so."""
        run = self.find(log)
        if run is None:
            run = Run(self.run_id, None)
            log.runs.append(run)
        how = OVER.get(status, "interrupted")
        error = failure(f"the run ended as {status!r}") if how == "failed" else None
        run.end(how, None if error is None else str(error), error)


def no_run(log: ThreadLog) -> Run:
    """Add an empty run that has ended, for readers when no run can come any more."""
    nothing = Run(None, None)
    nothing.end("interrupted", None, None)
    log.runs.append(nothing)
    return nothing
