"""Requests of a run before its events, and when its stream is closed early."""

from __future__ import annotations

from langgraph_client._core.call import path
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.errors import APIResponseValidationError, InvalidArgumentError
from langgraph_client.remote.aliases import Config, Reply
from langgraph_client.remote.clients import is_transient, status_of
from langgraph_client.remote.event_reader import EventReader
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.remote.flows.bundled_server import bundled_server_headers
from langgraph_client.remote.flows.state import NOT_FOUND, StateCall, get_history_page, get_state
from langgraph_client.remote.run_arguments import Control
from langgraph_client.remote.run_request import RunRequest
from langgraph_client.remote.snapshot import HistoryPages
from langgraph_client.remote.threads import thread_arguments

CONFLICT = 409
#: How servers refuse to cancel a run that is over or was deleted.
IS_OVER = (NOT_FOUND, CONFLICT, 422)


def prepare(request: RunRequest, call: StateCall) -> Flow[EventReader]:
    """Prepare a run: create its thread if necessary, and adapt its request to the server.

    Args:
        request: The request; it is completed here.
        call: How to read the state of the run's thread.

    Returns:
        The reader of the run's events.

    POST /threads, GET /threads/{thread_id}/state, POST /threads/{thread_id}/history, GET /info
    """
    with request.deciding():
        yield from _complete(request, call)
    return EventReader(request, call.decoder_for_server())


def _complete(request: RunRequest, call: StateCall) -> Flow[None]:
    if call.threads.must_be_made(call.address):
        yield from _create_thread(call)
    elif call.address.derived_from is not None and request.arguments.options.if_not_exists is None:
        request.relies_on_thread = True
    request.for_server((yield from bundled_server_headers(call.clients, call.own)))
    if (before := request.earlier_than) is not None:
        end: Config = {"configurable": {"checkpoint_id": before}}
        pages = HistoryPages(call.address, None, end, 1)
        # That checkpoint is the parent's. The thread does not have it, so at it the run starts
        # without a state, as a local subgraph that had none before.
        request.begin_at(before)
        for earlier in (yield from get_history_page(call, pages)):
            request.begin_at(earlier.config.get("configurable", {})["checkpoint_id"])
    if request.needs_state:
        request.go_on((yield from get_state(call)))


def recreate_thread(
    request: RunRequest, reader: EventReader, call: StateCall, error: Exception
) -> Flow[bool]:
    """Create the thread again if the run was refused because the thread was deleted.

    Args:
        request: The request; it is changed for the second attempt.
        reader: The reader of the run's events.
        call: The run's thread.
        error: The error of the run.

    Returns:
        Whether to send the request again. It is sent again at most once.

    POST /threads
    """
    is_refused = status_of(error) == NOT_FOUND and reader.run_id is None
    if not (is_refused and request.relies_on_thread):
        return False
    request.relies_on_thread = False
    call.threads.forget(call.address)
    yield from _create_thread(call)
    return True


def _create_thread(call: StateCall) -> Flow[None]:
    arguments = thread_arguments(call.address)
    yield from ask(lambda client: client.threads.create(**arguments, **call.own))
    call.threads.remember(call.address)


def cancel(reader: EventReader, call: StateCall) -> Flow[None]:
    """Cancel a run whose stream was closed early, unless it is over or stateless.

    It returns when the run has stopped, so that the thread is free for the next call.

    Args:
        reader: The reader of the run's events.
        call: The run's thread.

    POST /threads/{thread_id}/runs/{run_id}/cancel
    """
    if (run := reader.run_to_cancel()) is not None:
        own = call.own

        def stop(client: SyncLangGraphClient) -> object:
            return client.runs.cancel(*run, wait=True, **own)

        try:
            yield from ask(stop)
        except Exception as error:
            if status_of(error) in IS_OVER:
                return
            if not is_transient(error):
                raise
            # A kept connection that the server has closed is enough to lose the request. A second
            # one does no harm, but without any the run would go on.
            yield from ask(stop)


def answer_control(control: Control | None, question: Reply, call: StateCall) -> Flow[None]:
    """Answer a run that asks whether to drain.

    The server refuses the answer if the run is over or runs in another process; that is ignored.

    Raises:
        APIResponseValidationError: The question does not say which run asks.

    POST /threads/{thread_id}/runs/{run_id}/control
    """
    try:
        run = {"thread_id": question["thread_id"], "run_id": question["run_id"]}
        # Quoted: the ids are the server's words, and must not lead to another endpoint.
        where = path("/threads/{thread_id}/runs/{run_id}/control", **run)
        number = question["number"]
    except (KeyError, TypeError, InvalidArgumentError) as error:
        raise APIResponseValidationError(
            "an event 'control' from the server does not have the protocol's shape", body=question
        ) from error
    answer = {"number": number, "drain": None if control is None else control.drain_reason}
    try:
        yield from ask(lambda client: client.http.post(where, json=answer, **call.own))
    except Exception as error:
        if status_of(error) not in (NOT_FOUND, CONFLICT):
            raise
