"""RemoteGraph with only our own dependencies: no langgraph, no langchain-core."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from langgraph_client import Server
from tests.support.strict import STRICT

# An entry of None in sys.modules makes an import fail as if the package were not installed.
_WITHOUT = """
import json, sys
for name in ("langgraph", "langchain_core", "langsmith", "starlette", "uvicorn"):
    sys.modules[name] = None
from langgraph_client import RemoteGraph
from langgraph_client.types import Command
config = {"configurable": {"thread_id": "user-1"}}
"""


def run(server: Server, program: str) -> Any:
    server.listen(port=0)
    done = subprocess.run(
        [sys.executable, *STRICT, "-c", _WITHOUT + program, str(server.url)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_messages_are_plain_dicts(server: Server) -> None:
    """Invoke, stream and state work; messages are what they are on the wire."""
    seen = run(
        server,
        """
with RemoteGraph("chat", url=sys.argv[1]) as chat:
    result = chat.invoke({"messages": [["user", "hi! I'm bob"]]}, config)
    streamed = [c["messages"][-1] for c in chat.stream(
        {"messages": [{"role": "user", "content": "what's my name?"}]}, config,
        stream_mode="values")]
    state = chat.get_state(config)
print(json.dumps([result["messages"][-1], streamed[-1]["content"], state.values["messages"][0],
                  len(list(chat.get_state_history(config)))]))
""",
    )
    assert seen[0]["type"] == "ai"
    assert seen[0]["content"] == "Hello there"
    assert seen[1] == "You are Bob"
    assert seen[2]["content"] == "hi! I'm bob"
    assert seen[3] == 6


def test_interrupts_and_commands_have_stand_ins(server: Server) -> None:
    """An interrupt is shown and answered with our look-alikes of langgraph's classes."""
    seen = run(
        server,
        """
with RemoteGraph("approval", url=sys.argv[1]) as approval:
    (asked,) = approval.invoke({"draft": "d"}, config)["__interrupt__"]
    result = approval.invoke(Command(resume="yes"), config)
    drawing = approval.get_graph()
print(json.dumps([asked.value, result, drawing.draw_mermaid(), drawing.draw_ascii()]))
""",
    )
    assert seen[0] == {"question": "approve?", "draft": "d!"}
    assert seen[1] == {"draft": "d!", "answers": ["yes"]}
    assert "review" in seen[2]
    assert seen[3].splitlines() == [
        "[__start__]",
        "  +--> write",
        "[write]",
        "  +--> review",
        "[review]",
        "  +--> __end__",
        "[__end__]",
    ]


def test_batches_are_run_side_by_side(server: Server) -> None:
    """In input order, with a config for all or for each; failures are raised or returned."""
    seen = run(
        server,
        """
import asyncio
config = lambda name: {"configurable": {"thread_id": name}}
draft = lambda text: {"draft": text}
with RemoteGraph("approval", url=sys.argv[1]) as approval:
    drafts = [draft("a"), draft("b")]
    outputs = approval.batch(drafts, [config("1"), {**config("2"), "max_concurrency": 1}])
    one = approval.batch(drafts, {"max_concurrency": 1})
    async def both():
        async with approval:
            answers = await approval.abatch([Command(resume="no")] * 2, [config("1"), config("2")])
            failed = await approval.abatch(["x", draft("c")], return_exceptions=True)
            return answers, [type(each).__name__ for each in failed]
    answers, failed = asyncio.run(both())
    failures = approval.batch([draft("d"), "x"], return_exceptions=True)
    raised = []
    for inputs, configs in ((["x"], None), ([draft("e")], [])):
        try:
            approval.batch(inputs, configs)
        except Exception as error:
            raised.append([isinstance(error, ValueError), str(error)])
    name = approval.get_name("Input")
    nothing = approval.batch([])
asked = [[each["__interrupt__"][0].value["draft"] for each in some] for some in (outputs, one)]
print(json.dumps([asked, answers, failed, [type(f).__name__ for f in failures], raised[1], name,
                  len(raised), nothing]))
""",
    )
    assert seen[0] == [["a!", "b!"]] * 2
    assert seen[1] == [{"draft": "a!", "answers": ["no"]}, {"draft": "b!", "answers": ["no"]}]
    assert seen[2][1] == seen[3][0] == "dict"
    assert seen[2][0] == seen[3][1] != "dict"
    assert seen[4] == [True, "config: 0 configs for 1 inputs"]
    assert seen[5:] == ["approvalInput", 2, []]
