"""RemoteGraph with only our own dependencies: no langgraph, no langchain-core."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from langgraph_client import Server

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
        [sys.executable, "-W", "error", "-c", _WITHOUT + program, str(server.url)],
        capture_output=True,
        text=True,
        timeout=60,
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
