"""Writes `parity.md`: every method and keyword of a local graph, and the test that compares it.

    python tests/remote/parity.py           write the table, after running the tests it names
    python tests/remote/parity.py --check   only say whether it is what the signatures call for

The rows come from the signatures of the installed langgraph; what is said of each from `EVIDENCE`,
`REFUSED` and the tests' results. A row without evidence is an error.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable
from langgraph.pregel import Pregel

from langgraph_client import RemoteGraph

HERE = Path(__file__).parent
TABLE = HERE / "parity.md"

RUNS = "test_family.py::test_results_equal_the_local_graphs"
STREAMS = "test_family.py::test_streams_equal_the_local_graphs"
KEYWORDS = "test_family.py::test_stream_keywords"
RANDOM = "test_random_graphs.py::test_random_calls_of_random_graphs"
CALLS = "test_described.py::test_langchain_s_ways_to_call"
HISTORY = "test_parity.py::test_a_history_before_a_state"
EVENTS = "test_described.py::test_events"
WANTED = "test_described.py::test_wanted_events"
REFUSING = "test_signatures.py::test_what_cannot_be_is_refused_by_name"
RUN_STREAM = "test_event_streams.py::test_projections_come_in_the_order_of_a_local_graph"
TRANSFORMERS = "test_event_streams.py::test_further_projections_run_at_the_caller"
SCHEMAS = "test_described.py::test_schemas"
SUBGRAPHS = "test_described.py::test_one_subgraph_by_its_namespace"

#: Method -> the test of the method, and those of single keywords.
EVIDENCE: dict[str, tuple[str, dict[str, str]]] = {
    "invoke": (
        RUNS,
        {
            "config": RANDOM,
            "context": "test_parity.py::test_a_context_is_what_the_caller_gave",
            "input": "test_parity.py::test_values_survive_the_round_trip",
        },
    ),
    "stream": (
        STREAMS,
        {
            "config": RANDOM,
            "context": "test_parity.py::test_a_context_is_what_the_caller_gave",
            "print_mode": KEYWORDS,
            "output_keys": KEYWORDS,
            "debug": KEYWORDS,
            "interrupt_before": RUNS,
            "interrupt_after": RUNS,
            "durability": RUNS,
        },
    ),
    "get_state": (RANDOM, {}),
    "get_state_history": (HISTORY, {"limit": "test_parity.py::test_a_history_goes_to_its_end"}),
    "update_state": (RANDOM, {}),
    "bulk_update_state": ("test_parity.py::test_updates_of_several_supersteps", {}),
    "get_graph": ("test_family.py::test_drawings_equal_the_local_graphs", {}),
    "get_subgraphs": (SUBGRAPHS, {"recurse": "test_described.py::test_subgraphs"}),
    "get_input_schema": (SCHEMAS, {}),
    "get_output_schema": (SCHEMAS, {}),
    "get_input_jsonschema": (SCHEMAS, {}),
    "get_output_jsonschema": (SCHEMAS, {}),
    "get_context_jsonschema": ("test_described.py::test_the_schema_of_a_context", {}),
    "astream_events": (
        EVENTS,
        {
            f"{what}_{of}": WANTED
            for what in ("include", "exclude")
            for of in ("names", "types", "tags")
        }
        | {"transformers": TRANSFORMERS},
    ),
    "stream_events": (RUN_STREAM, {"transformers": TRANSFORMERS}),
    "with_config": (CALLS, {}),
    "copy": ("test_signatures.py::test_copies_share_the_clients", {}),
    "batch": (
        CALLS,
        {
            "return_exceptions": (
                "test_described.py::test_a_failed_item_of_a_batch_is_returned_in_its_place"
            )
        },
    ),
    **{
        name: (CALLS, {})
        for name in (
            "batch_as_completed",
            "pipe",
            "bind",
            "with_retry",
            "with_fallbacks",
            "with_listeners",
            "with_types",
            "map",
            "pick",
            "assign",
            "as_tool",
            "transform",
            "get_name",
            "get_prompts",
        )
    },
}

#: What raises NotImplementedError, with the reason and the test that sees it raised.
REFUSED: dict[tuple[str, str], tuple[str, str]] = {
    ("clear_cache", "nodes"): ("the protocol has no call that empties a cache", REFUSING),
}

#: Of Pregel's and Runnable's public names, those that are no calls a user makes on a graph.
LEFT_OUT = {
    "validate": "checks a graph while it is built",
    "config_schema": "deprecated in langgraph 1.0 for get_context_jsonschema",
    "get_config_jsonschema": "deprecated in langgraph 1.0 for get_context_jsonschema",
    "astream_log": "deprecated in langchain-core 1.0 for astream",
}

#: Single behaviours in which remote graphs are known to go wrong, and the test of each.
BEHAVIOURS = {
    "`checkpoint_id` on invoke and stream replays and forks": (
        "test_parity.py::test_a_checkpoint_is_replayed_and_forked_from"
    ),
    "`max_concurrency` limits the nodes that run side by side": (
        "test_parity.py::test_max_concurrency_is_kept"
    ),
    "a history goes to its end; `limit=0` gives none": (
        "test_parity.py::test_a_history_goes_to_its_end"
    ),
    "breaking out of a stream stops the run": (
        "test_documented.py::test_leaving_a_stream_early_stops_the_run"
    ),
    "cancelling `ainvoke` cancels the run": (
        "test_parity.py::test_cancelling_ainvoke_cancels_the_run"
    ),
    "`stream_mode=[]` streams nothing": STREAMS,
    "context keys outside the schema are not lost": (
        "test_parity.py::test_a_context_is_what_the_caller_gave"
    ),
    "tuples, None inside lists, integer keys, NaN, NUL and lone surrogates survive": (
        "test_parity.py::test_values_survive_the_round_trip"
    ),
    "sets, bytes, times, UUIDs, Decimals and enums survive": (
        "test_rich_values.py::test_input_and_output_keep_their_types"
    ),
    "pydantic and dataclass states stay instances": (
        "test_rich_values.py::test_the_schema_s_classes_are_made_again"
    ),
    "callbacks hear start, end and error of the root": (
        "test_callbacks.py::test_start_and_end_of_a_run_are_heard"
    ),
    "callbacks hear chat models and their tokens": (
        "test_callbacks.py::test_the_models_callbacks_are_those_of_a_streaming_local_graph"
    ),
    "a remote node of a parent that resumes or replays goes on as a local one": (
        "test_nested_resumption.py::test_a_resumed_parent_cannot_tell"
    ),
    "the context of a parent holds in a remote node": (
        "test_nested_context.py::test_nodes_see_the_context_of_the_parent"
    ),
    "nodes of a remote graph see the parent's thread": (
        "test_nested_threads.py::test_nodes_see_the_thread_of_the_parent"
    ),
    "langchain's events around a remote graph have what is inside": (
        "test_nested_events.py::test_langchain_s_events_have_what_is_inside"
    ),
    "a parent's run stream has the messages of a remote node": (
        "test_nested_events.py::test_a_run_stream_has_the_messages_of_the_node"
    ),
    "draining a parent drains a remote node": (
        "test_control.py::test_a_drained_parent_drains_its_node"
    ),
    "a parent over a remote node streams and keeps what it does over a local one": (
        "test_nested_family.py::test_a_parent_cannot_tell"
    ),
    "messages arrive as they were sent; dicts that look like them stay dicts": (
        "test_values_kept.py::test_messages_arrive_as_they_were"
    ),
    "a `Command` acts in `update_state` and `bulk_update_state`": (
        "test_values_kept.py::test_a_command_acts_in_an_update_of_the_state"
    ),
    "any exception is rebuilt, with its args and plain attributes": (
        "test_failures.py::test_any_class_is_rebuilt"
    ),
    '`stream_mode="tools"` and strict resume': ("test_beyond_the_protocol.py::test_strict_resume"),
    "attributes that adapters read (`nodes`, `channels`, `context_schema` …)": (
        "test_adapters.py::test_attributes_of_a_compiled_graph"
    ),
    "messages are message objects": (
        "test_documented.py::test_streamed_messages_are_message_objects"
    ),
    "interrupts are objects, in v1 as well": (
        "test_parity.py::test_interrupts_are_objects_in_either_version"
    ),
    "`interrupt_before` gives `()`": RUNS,
    "lists of modes give pairs; with `subgraphs` triples": STREAMS,
    "v2 parts carry `interrupts` in the mode values only": STREAMS,
    "`task.path`, `task.error`, configs and metadata have no more and no less": RANDOM,
    "errors are of the local class, with what the node said": (
        "test_parity.py::test_a_failure_says_where"
    ),
    "errors of state calls are of the local class": (
        "test_parity.py::test_errors_of_state_calls_are_those_of_the_local_graph"
    ),
    "any thread id": "test_config.py::test_a_thread_id_becomes_a_uuid",
    "an unknown thread has an empty state": (
        "test_documented.py::test_an_unknown_thread_has_an_empty_state"
    ),
    "`goto` takes a name, a Send, and lists that mix them": (
        "test_parity.py::test_a_command_goes_to_names_and_sends_together"
    ),
    "falsy answers resume": "test_documented.py::test_any_answer_but_null_resumes",
    "cache policies spare the remote run": (
        "test_nested.py::test_a_cache_policy_of_the_node_spares_the_remote_run"
    ),
    "retry policies see the local class": (
        "test_nested.py::test_a_retry_policy_of_the_node_sees_local_classes"
    ),
    "a graph's own checkpointer keeps threads under the caller's ids": (
        "test_own_checkpointers.py::test_a_remote_run_is_found_in_the_savers_own_threads"
    ),
    "`control=` drains a run": (
        "test_control.py::test_a_drained_run_stops_before_its_next_superstep"
    ),
    'states are of their class in `version="v2"`': (
        "test_as_local.py::test_version_v2_gives_states_as_their_class"
    ),
    "callbacks hear interrupts and resumptions": (
        "test_as_local.py::test_callbacks_of_interrupts_and_resumptions"
    ),
    "`get_graph().to_json()` tells the classes of nodes": (
        "test_as_local.py::test_drawings_tell_the_classes_of_nodes"
    ),
    "messages in `updates` have the ids that they have in the state": (
        "test_as_local.py::test_messages_of_updates_have_the_ids_of_the_state"
    ),
    "nodes see the caller's keys and none of the server's": (
        "test_as_local.py::test_nodes_see_the_callers_keys_and_none_of_the_servers"
    ),
    "metadata of checkpoints is the caller's, of runs and of updates": (
        "test_metadata.py::test_it_is_that_of_a_local_graph"
    ),
    "several updates of a superstep keep the ids of their tasks": (
        "test_as_local.py::test_several_updates_with_the_ids_of_their_tasks"
    ),
    "a graph's own config wins over what a call in a node inherits": (
        "test_inherited_config.py::test_nodes_see_what_they_see_in_a_local_graph"
    ),
    "a node that streams a remote graph itself gets the parent's namespaces": (
        "test_nested_messages.py::test_what_a_node_streams_itself_the_parent_does_not"
    ),
    "cancelling a parent cancels the remote run": (
        "test_nested.py::test_cancelling_the_parent_cancels_the_remote_run"
    ),
}

#: What is not the same, and why it cannot be.
DIFFERENCES = {
    "other servers than the bundled one": (
        "speak plain JSON: tuples and sets come back as lists; dataclasses and pydantic models as "
        "dicts; bytes, times, UUIDs, Decimals and enums as text or numbers; NaN as None; integer "
        "keys as text; `stream` tells the channels of the output schema only; a context loses keys "
        "that its schema does not name; a failure does not say its node; state calls raise the "
        "HTTP error"
    ),
    '`stream_mode="tools"`': (
        "of the bundled server only; of others NotImplementedError: the protocol sends no tool "
        "events for a run"
    ),
    "`control=`": (
        "of the bundled server only; a run asks its caller between the supersteps of the graph "
        "itself, not of its subgraphs; a node of a parent asks at most ten times a second"
    ),
    "a node of a parent, on other servers": (
        "may run once more before its interrupt gets the parent's answer; has no answers with "
        "`checkpointer=False`; sees its own thread; does not get the parent's context, which may "
        "hold secrets, unless a call passes it"
    ),
    "a subgraph with `checkpointer=True` inside a node of a parent": (
        "has its state in the node's own thread: it remembers from one run of the parent to the "
        "next only if RemoteGraph has `checkpointer=True` too; its namespace begins with the "
        "node's task"
    ),
    "the namespace that nodes inside a node of a parent see": (
        "(`checkpoint_ns` of their config) begins at the remote graph, not at the outermost parent"
    ),
    "the store inside a node of a parent": "is the server's, not the parent's",
    "a question in a `@task` inside a node of a parent": (
        "is told once; langgraph tells the parent twice of it, with the same id"
    ),
    "a node of a parent, with an application's `Auth`": (
        "sees its own thread: the server cannot tell whose the parent's is"
    ),
    "`astream_events` around a remote graph": (
        "has no `on_chain_stream` of the chains inside it, and on other servers only its models"
    ),
    "`task_id` of an update": "of the bundled server only, with `as_node`, at the latest state",
    "what a node sees in its config, on other servers": (
        "the server's own keys too (`assistant_id`, `graph_id` …), and the thread's UUID; "
        "the caller's id is in the metadata under `given_thread_id`"
    ),
    "a caller's keys `langgraph_auth_…`, `langgraph_api_…`, `langgraph_request_…`": (
        "are not sent: they tell who has signed in at the server around the call, which is no "
        "business of another server"
    ),
    "metadata under a name that servers use (`user_id`, `created_by`, `langgraph_…`)": (
        "is not shown of other servers, which put their own values there; `graph_id` of an update "
        "of none"
    ),
    "the config of an update": (
        "reaches the bundled server only, without values that cannot be JSON"
    ),
    "pydantic's `ValidationError`": (
        "is a `RemoteException` and ValueError, unless `allow_types=` names it; no class can be "
        "both"
    ),
    "the caller's callbacks and tracers of nodes and tools": (
        "are called with what the bundled server tells of them; those of other servers are called "
        "there only. LangSmith's tracer is not: the server traces its runs itself"
    ),
    "the start of a remote graph, for callbacks, in events around it and in messages of its node": (
        "has the caller's tags and metadata, not those that its graph was compiled with "
        "(`with_config`, the `lc_agent_name` of `create_agent`): pass the metadata as `config=`"
    ),
    "a node that streams messages of a remote graph without those of its subgraphs": (
        "misses, while the parent streams those, what only a subgraph's node returns"
    ),
    "a run without a thread of a graph with its own checkpointer": (
        "keeps nothing, as on any LangGraph server; a ValueError as locally with "
        "`Server(lend_checkpointer=False)`"
    ),
    "subclasses of dict, list, str and the like": (
        "arrive as a dict, a list or a str; what they hold keeps its types"
    ),
    "keys that are one in JSON, such as 1 and '1', for other servers": (
        "InvalidArgumentError, as an item would be lost"
    ),
    "dicts that look like messages, on other servers": (
        "become messages, as a server writes a dict and a message alike"
    ),
    "`bulk_update_state` with several updates in one superstep": (
        "on a thread that exists, on other servers: NotImplementedError, as the protocol takes "
        "such only together with a new thread; everywhere with a `checkpoint_id`"
    ),
    "`Command(resume=None)`": "goes on without an answer; langgraph 1.2 raises UnboundLocalError",
    "`get_state({})`": "InvalidArgumentError that says what is missing, in place of a KeyError",
    "`get_graph().to_json()`, on other servers": (
        "has no class paths of the nodes: drawings of the protocol have none"
    ),
    "`get_subgraphs`": (
        "a remote subgraph cannot be run by itself; a parent's `get_subgraphs(recurse=True)` "
        "stops at a remote node, as langgraph opens its own classes only"
    ),
    "`get_input_schema().model_json_schema()`": (
        "is the text of `get_input_jsonschema()`; locally the two are worded in two ways. So a key "
        "that the schema does not require is optional for `as_tool`, too"
    ),
    "`name`": "the assistant's id, unless `name=` says another",
    "messages of a model that no parent streams": "same text and class; ids are the server's",
}


def rows() -> list[tuple[str, str, str, str]]:
    """Method, keyword, what is so of it, and the test that shows it."""
    found = []
    for method in _methods():
        for keyword in _keywords(method):
            if (method, keyword) in REFUSED:
                reason, test = REFUSED[method, keyword]
                found.append((method, keyword, f"refused: {reason}", test))
                continue
            if method not in EVIDENCE:
                raise SystemExit(f"{method}({keyword}) has no evidence")
            test, single = EVIDENCE[method]
            found.append((method, keyword, "same", single.get(keyword, test)))
    return found


def _methods() -> list[str]:
    names = []
    for name, method in inspect.getmembers(Pregel, inspect.isfunction):
        twin = name.removeprefix("a")
        is_twin = name.startswith("a") and hasattr(Pregel, twin) and name != "assign"
        if is_twin and name not in ("astream_events",):
            if not hasattr(RemoteGraph, name):
                raise SystemExit(f"RemoteGraph has no {name}")
            continue
        if name.startswith(("_", "with_alisteners")) or name in LEFT_OUT:
            continue
        if method.__qualname__.split(".")[0] in (Pregel.__name__, Runnable.__name__):
            names.append(name)
    return names


def _keywords(method: str) -> list[str]:
    signature: Any = inspect.signature(getattr(Pregel, method))
    given = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.name != "self"
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if method == "astream_events":  # Locally they are among `**kwargs`.
        given += EVIDENCE[method][1]
    return given or ["-"]


def tests() -> list[str]:
    """Every test that the table names."""
    return sorted({test for *_, test in rows()} | set(BEHAVIOURS.values()))


def text() -> str:
    """The table."""
    lines = [
        "# A remote graph beside the local one",
        "",
        "Written by `make parity`, after the tests named here have passed. Each method stands for "
        "its async twin, too; tests are those of `tests/remote/`.",
        "",
        "## Methods and keywords",
        "",
        "| Method | Keyword | | Test |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{m}` | `{k}` | {what} | `{test}` |" for m, k, what, test in rows()]
    lines += ["", "## Single behaviours", "", "| | Test |", "|---|---|"]
    lines += [f"| {what} | `{test}` |" for what, test in BEHAVIOURS.items()]
    lines += ["", "## What is not the same", "", "| | |", "|---|---|"]
    lines += [f"| {what} | {why} |" for what, why in DIFFERENCES.items()]
    lines += ["", "Left out: " + "; ".join(f"`{n}` ({why})" for n, why in LEFT_OUT.items()) + "."]
    return "\n".join(lines) + "\n"


def main() -> None:
    if "--check" not in sys.argv:
        named = [str(HERE / test) for test in tests()]
        subprocess.run([sys.executable, "-m", "pytest", "-q", *named], check=True)
        TABLE.write_text(text())
    elif TABLE.read_text() != text():
        raise SystemExit("tests/remote/parity.md is not what it should be: make parity")


if __name__ == "__main__":
    main()
