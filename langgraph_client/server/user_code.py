"""Let user code raise anything, in any task, without ending more than its run.

An event loop stops if a task raises `SystemExit` or `KeyboardInterrupt`. And langgraph waits for
ever for a step whose task raised another `BaseException`, such as `pytest.fail()` or the panic of
an extension. So on the server's loop, every coroutine is wrapped in another one, which raises
`UserCodeExit`, an ordinary exception, in place of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any


class UserCodeExit(Exception):
    """User code raised a `BaseException` that is not an `Exception`.

    Args:
        original: The exception that was raised. Its text is part of this one's.
    """

    def __init__(self, original: BaseException) -> None:
        super().__init__(f"{type(original).__name__}: {original}")
        self.original = original


def raised_by_user(error: BaseException) -> BaseException:
    """Return the exception that user code itself raised."""
    return error.original if isinstance(error, UserCodeExit) else error


def is_stopping(error: BaseException) -> bool:
    """Return whether an exception is a cancellation of the current task.

    A `CancelledError` that user code raises itself is not: the task was not cancelled.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit)


@contextmanager
def exceptions_only() -> Iterator[None]:
    """Call user code in this context: exceptions outside of `Exception` become `UserCodeExit`."""
    try:
        yield
    except Exception:
        raise  # An ordinary exception needs no translation.
    except BaseException as error:
        if is_stopping(error):
            raise
        raise UserCodeExit(error) from error


def contain(loop: asyncio.AbstractEventLoop) -> None:
    """Wrap all tasks of a loop, so that no exception stops the loop or blocks langgraph."""

    def factory(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, object], **options: Any
    ) -> asyncio.Task[object]:
        return asyncio.Task(_Contained(coroutine), loop=loop, **options)

    loop.set_task_factory(factory)  # type: ignore[arg-type]


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine that raises only `Exception` and cancellations.

    It is a class and not a coroutine function, because that would not close the inner coroutine if
    its task is cancelled before the first step.
    """

    def __init__(self, inner: Coroutine[Any, Any, object]) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)  # `cr_frame` and the like, for debuggers.

    def __await__(self) -> Generator[Any, Any, object]:
        return self._inner.__await__()

    def send(self, value: object) -> object:
        """Run the inner coroutine to its next `await`."""
        try:
            return self._inner.send(value)
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raise UserCodeExit(error) from error

    def throw(self, *error: Any) -> object:
        """Raise an exception, such as a cancellation, inside the inner coroutine."""
        try:
            return self._inner.throw(*error)
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as raised:
            raise UserCodeExit(raised) from raised

    def close(self) -> None:
        """Close the inner coroutine."""
        self._inner.close()
