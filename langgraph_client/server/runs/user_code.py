"""What user code may raise: everything, on every task, without ending more than its run.

An event loop ends when a task raises `SystemExit` or `KeyboardInterrupt`, and langgraph waits for
ever for a step whose task raised another `BaseException`, such as `pytest.fail()` or the panic of
an extension. On the server's loop every coroutine is therefore awaited within another one, which
raises `UserCodeExit`, an ordinary exception, in their place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any


class UserCodeExit(Exception):
    """User code raised a `BaseException` that is no `Exception`; its text is that of the original.

    Args:
        original: What was raised.
    """

    def __init__(self, original: BaseException) -> None:
        super().__init__(f"{type(original).__name__}: {original}")
        self.original = original


def raised_by_user(error: BaseException) -> BaseException:
    """Return what user code itself raised."""
    return error.original if isinstance(error, UserCodeExit) else error


def is_stopping(error: BaseException) -> bool:
    """Return whether an exception asks the present task itself to stop.

    A `CancelledError` that user code raises by itself does not: nobody cancelled the task.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit)


@contextmanager
def exceptions_only() -> Iterator[None]:
    """Call user code within: what it raises and is no exception is raised as `UserCodeExit`."""
    try:
        yield
    except Exception:
        raise  # Nothing to translate; only what follows is no exception.
    except BaseException as error:
        if is_stopping(error):
            raise
        raise UserCodeExit(error) from error


def contain(loop: asyncio.AbstractEventLoop) -> None:
    """Let no task of a loop raise anything that ends the loop, or that langgraph waits for."""

    def factory(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(_Contained(coroutine), loop=loop, **options)

    loop.set_task_factory(factory)  # type: ignore[arg-type]


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine that raises nothing but exceptions and cancellations.

    It is a class, not a coroutine function: one of those would not close the inner coroutine when
    its task is cancelled before the first step.
    """

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # `cr_frame` and the like, for who looks at tasks

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    def send(self, value: Any) -> Any:
        """Take a step."""
        try:
            return self._inner.send(value)
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raise UserCodeExit(error) from error

    def throw(self, *error: Any) -> Any:
        """Take a step with an exception, such as a cancellation."""
        try:
            return self._inner.throw(*error)
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as raised:
            raise UserCodeExit(raised) from raised

    def close(self) -> None:
        """Close the inner coroutine."""
        self._inner.close()
