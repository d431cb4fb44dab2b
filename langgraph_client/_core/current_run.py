"""Which run of a thread is the one that is read. Pure."""

from __future__ import annotations

from langgraph_client._core.run_log import Run, Status, ThreadLog, failure

_OVER: dict[str, Status] = {"success": "completed", "error": "failed", "timeout": "failed"}


class CurrentRun:
    """Names a run: by its id, or, where the server does not tell it, by its place on the thread.

    Args:
        run_id: Its id; None where it is not known yet.
        number: Its place among the runs that are known of the thread.
        succeeded: Whether the server says that it is over, and well.
    """

    def __init__(self, run_id: str | None, number: int, *, succeeded: bool = False) -> None:
        self.run_id = run_id
        self.succeeded = succeeded
        self._number = number

    def find(self, log: ThreadLog) -> Run | None:
        """Return the run, once it has begun."""
        if log.runs and log.runs[-1].is_nameless:
            return log.runs[-1]
        if self.run_id is not None:
            return log.run(self.run_id)
        return log.runs[self._number] if len(log.runs) > self._number else None

    def end(self, log: ThreadLog, status: str) -> None:
        """End the run, which is over on the server and did not say so."""
        run = self.find(log)
        if run is None:
            run = Run(self.run_id, None)
            log.runs.append(run)
        how = _OVER.get(status, "interrupted")
        error = failure(f"the run ended as {status!r}") if how == "failed" else None
        run.end(how, None if error is None else str(error), error)


def no_run(log: ThreadLog) -> Run:
    """Add a run that is over and gave nothing, for what is read when nothing more can come."""
    nothing = Run(None, None)
    nothing.end("interrupted", None, None)
    log.runs.append(nothing)
    return nothing
