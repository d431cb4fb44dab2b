"""Scenarios in which a parent graph resumes while its child runs, has asked or is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, StateUpdate, interrupt

from tests.support.resumption_graphs import (
    RAN,
    Child,
    K,
    State,
    answered,
    around,
    asking,
    by_question,
    noting,
    row,
    side_by_side,
    told,
)

Scenario = Callable[[Child], Any]
SCENARIOS: list[Scenario] = []


def scenario(play: Scenario) -> Scenario:
    SCENARIOS.append(play)
    return play


# --- calls of a child in a node ---


@scenario
def two_children_of_a_node_ask(child: Child) -> Any:
    one, other = child("asks"), child("asks")

    def node(state: State) -> State:
        first = one.invoke({"log": [], "question": "first?"})
        second = other.invoke({"log": [], "question": "second?"})
        return {"log": [first["log"], second["log"]]}

    return answered(around(node), "A", "B")


@scenario
def one_child_is_called_in_a_loop_and_asks_each_time(child: Child) -> Any:
    asks = child("asks")

    def node(state: State) -> State:
        calls = [asks.invoke({"log": [], "question": f"{n}?"})["log"] for n in range(3)]
        return {"log": calls}

    return answered(around(node), "A", "B", "C")


@scenario
def a_node_asks_after_its_child_has_ended(child: Child) -> Any:
    steps = child("steps")

    def node(state: State) -> State:
        result = steps.invoke({"log": ["given"]})["log"]
        return {"log": [result, interrupt("sure?")]}

    return answered(around(node), "yes")


@scenario
def a_node_asks_before_and_after_its_child(child: Child) -> Any:
    asks = child("asks")

    def node(state: State) -> State:
        before = interrupt("before?")
        result = asks.invoke({"log": [before]})["log"]
        return {"log": [result, interrupt("after?")]}

    return answered(around(node), "A", "B", "C")


@scenario
def a_child_that_remembers_is_not_run_again(child: Child) -> Any:
    steps = child("steps", checkpointer=True)

    def node(state: State) -> State:
        result = steps.invoke({"log": ["given"]})["log"]
        return {"log": [len(result), interrupt("sure?")]}

    parent = around(node)
    return answered(parent, "yes"), answered(parent, "yes")


@scenario
def a_child_that_keeps_nothing_asks(child: Child) -> Any:
    asks = child("asks_between", checkpointer=False)
    return answered(around(lambda state: asks.invoke(state)), "yes")


@scenario
def a_node_fails_after_its_child_has_ended(child: Child) -> Any:
    steps, disks = child("steps"), ["full"]

    def node(state: State) -> State:
        result = steps.invoke({"log": ["given"]})
        if disks:
            raise OSError(disks.pop())
        return {"log": [result["log"]]}

    parent = around(node)
    with pytest.raises(OSError, match="full"):
        parent.invoke({"log": []}, K)
    return told(parent.invoke(None, K))


@scenario
def tasks_of_an_entrypoint_call_children(child: Child) -> Any:
    asks, steps = child("asks"), child("steps")

    @task
    def stepping(log: list[Any]) -> Any:
        return steps.invoke({"log": log})["log"]

    @task
    def asked(question: str) -> Any:
        return asks.invoke({"log": [], "question": question})["log"]

    @entrypoint(checkpointer=InMemorySaver())
    def work(given: list[Any]) -> Any:
        stepped = stepping(given).result()
        answers = [asked("one?").result(), asked("two?").result()]
        return {"log": [*stepped, *answers, interrupt("sure?")]}

    results = [told(work.invoke(["given"], K))]
    return results + [told(work.invoke(Command(resume=answer), K)) for answer in "ABC"]


# --- a child as a node ---


@scenario
def a_child_asks_between_its_steps(child: Child) -> Any:
    return answered(around(child("asks_between")), "yes")


@scenario
def a_node_of_a_child_asks_twice(child: Child) -> Any:
    return answered(around(child("asks_twice")), "A", "B")


@scenario
def a_child_is_resumed_without_an_answer(child: Child) -> Any:
    return answered(around(child("asks_between")), None, "yes")


@scenario
def a_child_stops_after_its_last_node(child: Child) -> Any:
    return answered(around(child("stops_after_its_end")), None, None)


@scenario
def a_child_stops_before_a_node_and_a_later_one_asks(child: Child) -> Any:
    """The answer waits for the question."""
    return answered(around(child("asks_later")), "yes")


@scenario
def an_answer_is_not_for_a_child_that_does_not_ask(child: Child) -> Any:
    stops = child("stops_after_its_end")

    def node(state: State) -> State:
        stops.invoke({"log": []})
        return {"log": [interrupt("sure?")]}

    return answered(around(node), "yes")


@scenario
def a_parent_stops_before_a_child_that_asks(child: Child) -> Any:
    return answered(around(child("asks_between"), interrupt_before=["n"]), "yes")


@scenario
def a_parent_gets_a_new_input_while_its_child_waits(child: Child) -> Any:
    parent = around(child("asks_between"))
    return answered(parent), answered(parent, "yes")


@scenario
def a_child_in_a_loop_of_the_parent(child: Child) -> Any:
    graph = row(("n", child("asks")))
    graph.add_conditional_edges("n", lambda state: "n" if len(state["log"]) < 9 else "__end__")
    return answered(graph.compile(checkpointer=InMemorySaver()), "A", "B", "C", "D")


@scenario
def a_child_of_a_child_asks(child: Child) -> Any:
    return answered(around(child("deep")), "yes")


@scenario
def a_child_in_a_local_subgraph_asks(child: Child) -> Any:
    middle = row(("m", noting("m")), ("child", child("asks_between")), ("z", asking("z")))
    return answered(around(middle.compile()), "yes", "no")


@scenario
def a_parent_with_a_local_subgraph_stops_before_a_child_that_asks_later(child: Child) -> Any:
    """The answer reaches a later step of the subgraph."""
    middle = row(("m", noting("m")), ("child", child("asks_between"))).compile()
    return answered(around(middle, interrupt_before=["n"]), "yes")


# --- several at a time ---


@scenario
def children_side_by_side_are_answered_by_id(child: Child) -> Any:
    def call(question: str) -> Any:
        asks = child("asks")
        return lambda state: {"log": asks.invoke({"log": [], "question": question})["log"]}

    parent = side_by_side(call("left?"), call("right?"))
    parent.invoke({"log": []}, K)
    ids = by_question(parent)
    first = told(parent.invoke(Command(resume={ids["right?"]: "R"}), K))
    second = told(parent.invoke(Command(resume={ids["left?"]: "L"}), K))
    return sorted(ids), first, second, sorted(RAN)


@scenario
def an_answer_is_not_for_a_child_that_has_failed_beside(child: Child) -> Any:
    steps, asks, disks = child("steps"), child("asks"), ["full"]
    begun = threading.Event()

    def failing(state: State) -> State:
        result = steps.invoke({"log": []})
        if disks:
            # langgraph calls no node any more that has not begun when another one fails.
            assert begun.wait(60)
            raise OSError(disks.pop())
        return {"log": [result["log"]]}

    def beside(state: State) -> State:
        begun.set()
        return {"log": asks.invoke({"log": []})["log"]}

    parent = side_by_side(failing, beside)
    with pytest.raises(OSError, match="full"):
        parent.invoke({"log": []}, K)
    asked = told(parent.invoke(None, K))
    return asked, told(parent.invoke(Command(resume="yes"), K)), sorted(RAN)


@scenario
def the_children_of_sends_are_answered_by_id(child: Child) -> Any:
    asks = child("asks")
    graph = StateGraph(State).add_node("n", lambda state: {"log": asks.invoke(state)["log"]})
    graph.add_conditional_edges(
        START, lambda state: [Send("n", {"log": [], "question": f"{n}?"}) for n in range(3)], ["n"]
    )
    parent = graph.compile(checkpointer=InMemorySaver())
    parent.invoke({"log": []}, K)
    while ids := by_question(parent):
        question = max(ids)
        parent.invoke(Command(resume={ids[question]: question}), K)
    return told(parent.invoke(None, K))


@scenario
def questions_of_a_child_are_answered_one_after_the_other(child: Child) -> Any:
    parent = around(child("both_ask"))
    parent.invoke({"log": []}, K)
    ids = by_question(parent)
    first = told(parent.invoke(Command(resume={ids["y?"]: "Y"}), K))
    return sorted(ids), first, told(parent.invoke(Command(resume="X"), K)), sorted(RAN)


# --- states that were written, and other checkpoints ---


@scenario
def the_state_of_a_child_is_edited_before_the_answer(child: Child) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    (task_,) = parent.get_state(K, subgraphs=True).tasks
    parent.update_state(task_.state.config, {"log": ["edited"]})
    return told(parent.invoke(Command(resume="yes"), K))


@scenario
def the_state_of_a_child_is_edited_so_that_it_does_not_ask(child: Child) -> Any:
    asks = child("asks_between")

    def node(state: State) -> State:
        return {"log": [asks.invoke({"log": []})["log"], interrupt("sure?")]}

    parent = row(("n", asks)).compile(checkpointer=InMemorySaver())
    parent.invoke({"log": ["in"]}, K)
    (task_,) = parent.get_state(K, subgraphs=True).tasks
    parent.update_state(task_.state.config, {"log": ["edited"]}, as_node="q")
    return told(parent.invoke(Command(resume="yes"), K))


@scenario
def an_earlier_checkpoint_of_the_parent_is_gone_on_from(child: Child) -> Any:
    parent = row(("m", noting("m")), ("n", child("asks_between")), ("z", noting("z"))).compile(
        checkpointer=InMemorySaver()
    )
    results = answered(parent, "yes")
    before = next(s for s in parent.get_state_history(K) if s.next == ("n",))
    results.append(told(parent.invoke(None, before.config)))
    return [*results, told(parent.invoke(Command(resume="no"), K))]


@scenario
def an_answer_at_the_checkpoint_that_asks(child: Child) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    return told(parent.invoke(Command(resume="yes"), parent.get_state(K).config))


@scenario
def a_fork_of_the_parent_asks_again(child: Child) -> Any:
    parent = around(child("asks_between"))
    results = answered(parent, "yes")
    before = next(s for s in parent.get_state_history(K) if s.next == ("n",))
    forked = parent.update_state(before.config, {"log": ["forked"]})
    results.append(told(parent.invoke(None, forked)))
    return [*results, told(parent.invoke(Command(resume="no"), K))]


@scenario
def a_fork_that_asks_is_gone_on_from_twice(child: Child) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    before = next(s for s in parent.get_state_history(K) if s.next == ("n",))
    forked = parent.update_state(before.config, {"log": ["forked"]})
    results = [told(parent.invoke(None, forked)) for _ in range(2)]
    return [*results, told(parent.invoke(Command(resume="no"), K))]


@scenario
def a_child_that_remembers_is_replayed(child: Child) -> Any:
    """It starts with what it remembered then, and goes on remembering."""
    parent = row(("n", child("steps", checkpointer=True)), ("m", noting("m")))
    parent = parent.compile(checkpointer=InMemorySaver())
    results = [told(parent.invoke({"log": [f"turn {turn}"]}, K)) for turn in range(3)]
    turns = [state for state in parent.get_state_history(K) if state.next == ("n",)]
    replayed = [told(parent.invoke(None, state.config)) for state in reversed(turns)]
    return results, replayed, told(parent.invoke({"log": ["last"]}, K))


@scenario
def a_loop_over_a_child_that_remembers_is_replayed(child: Child) -> Any:
    """Only its first run in the replay starts with an earlier state."""
    graph = row(("n", child("steps", checkpointer=True)))
    graph.add_conditional_edges("n", lambda state: "n" if len(state["log"]) < 40 else "__end__")
    parent = graph.compile(checkpointer=InMemorySaver())
    results = [told(parent.invoke({"log": ["in"]}, K))]
    turns = [state for state in parent.get_state_history(K) if state.next == ("n",)]
    return results + [told(parent.invoke(None, state.config)) for state in turns]


@scenario
def a_child_that_remembers_and_asks_is_replayed(child: Child) -> Any:
    parent = around(child("asks_between", checkpointer=True))
    results = [answered(parent, f"answer {turn}") for turn in range(2)]
    turns = [state for state in parent.get_state_history(K) if state.next == ("n",)]
    for state in turns:
        results.append([told(parent.invoke(None, state.config))])
        results.append([told(parent.invoke(Command(resume="again"), K))])
    return results


def states_of_child(parent: Any) -> tuple[Any, list[Any]]:
    """The config of a child's latest state without its checkpoint, and all states, newest first."""
    (task_,) = parent.get_state(K, subgraphs=True).tasks
    place = {
        name: task_.state.config["configurable"][name] for name in ("thread_id", "checkpoint_ns")
    }
    latest = {"configurable": place}
    return latest, list(parent.get_state_history(latest))


@scenario
def a_state_of_a_child_is_read_by_its_checkpoint(child: Child) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    latest, states = states_of_child(parent)
    older = [parent.get_state(state.config) for state in states]
    shown = [(state.next, state.values, state.config, state.metadata) for state in older]
    counts = [len(list(parent.get_state_history(state.config))) for state in states]
    return shown, counts, parent.get_state(latest).config


@scenario
def a_state_of_a_child_is_forked_from(child: Child) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    latest, states = states_of_child(parent)
    before = next(state for state in states if state.next == ("a",))
    written = [
        parent.update_state(before.config, {"log": ["forked"]}),
        parent.update_state(latest, {"log": ["edited"]}, as_node="a"),
        parent.bulk_update_state(latest, [[StateUpdate({"log": [n]}, "a")] for n in "12"]),
    ]
    results = [
        (parent.get_state(config).values, parent.get_state(config).metadata) for config in written
    ]
    history = [(s.next, s.config, s.parent_config) for s in parent.get_state_history(latest)]
    return written, results, history, told(parent.invoke(Command(resume="yes"), K))


def a_run_from_a_state_of_a_child(child: Child, answer: Any) -> Any:
    parent = around(child("asks_between"))
    parent.invoke({"log": ["in"]}, K)
    _, states = states_of_child(parent)
    before = next(state for state in states if state.next == ("a",))
    first = told(parent.invoke(answer, before.config))
    return first, told(parent.invoke(Command(resume="no"), K)), parent.get_state(K).next


@scenario
def a_state_of_a_child_is_gone_on_from(child: Child) -> Any:
    return a_run_from_a_state_of_a_child(child, None)


@scenario
def an_answer_at_a_state_of_a_child(child: Child) -> Any:
    return a_run_from_a_state_of_a_child(child, Command(resume="yes"))


@scenario
def a_child_that_remembers_has_one_namespace(child: Child) -> Any:
    parent = around(child("steps", checkpointer=True))
    modes = ["updates", "checkpoints"]
    return list(parent.stream({"log": ["in"]}, K, subgraphs=True, stream_mode=modes))


@scenario
def a_child_that_remembers_is_read_by_its_checkpoint(child: Child) -> Any:
    parent = around(child("asks_between", checkpointer=True))
    answered(parent, "yes")
    parent.invoke({"log": ["again"]}, K)
    _, states = states_of_child(parent)
    older = [parent.get_state(state.config) for state in states]
    return [(state.next, state.values, state.config) for state in older]


#: Without a thread, the protocol has no way to resume.
IMPOSSIBLE = [a_child_that_keeps_nothing_asks]
#: The node that asks runs once more before it gets the answer.
ONCE_MORE = [
    a_child_stops_before_a_node_and_a_later_one_asks,
    a_parent_stops_before_a_child_that_asks,
    a_parent_with_a_local_subgraph_stops_before_a_child_that_asks_later,
    the_state_of_a_child_is_edited_before_the_answer,
    a_state_of_a_child_is_forked_from,
    an_answer_at_a_state_of_a_child,
]
