"""deepagents-code, with its server command replaced by ours and its model by a fake one.

Run in an environment of its own that has deepagents-code and this package. Starts its server
process, asks for a file to be written, approves the tool call, and tells what it has seen as JSON.
"""

import asyncio
import json
import os
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

CONFIG = """
[models.providers.fake]
class_path = "deepagents_code._testing_models:ToolCallingIntegrationChatModel"
models = ["fake"]
"""


def prepare(home: Path) -> None:
    """Give deepagents-code a home of its own, before it is imported."""
    os.environ.update(
        HOME=str(home), DEEPAGENTS_HOME=str(home / ".deepagents"), LANGSMITH_TRACING="false"
    )
    (home / ".deepagents").mkdir()
    (home / ".deepagents" / "config.toml").write_text(CONFIG)


def replace() -> None:
    """Put our command in the place of `langgraph dev`, with the arguments that it has."""
    from deepagents_code.client.launch.server import ServerProcess
    from deepagents_code.config import _ensure_bootstrap

    def launch(
        self: Any, command: list[str], folder: Path, environment: dict[str, str]
    ) -> subprocess.Popen[str]:
        assert command[1:4] == ["-m", "langgraph_cli", "dev"]
        return subprocess.Popen(
            [command[0], "-m", "langgraph_client.server", *command[4:]],
            cwd=folder,
            env=environment,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    _ensure_bootstrap()
    ServerProcess._launch_process = launch


async def converse(folder: Path) -> dict[str, Any]:
    """Ask, approve, and look at the thread."""
    from deepagents_code.client.launch.server_manager import server_session
    from langgraph.types import Command

    target = folder / "written.txt"
    thread = {"configurable": {"thread_id": str(uuid.uuid4())}}
    question = {"messages": [{"role": "user", "content": f"DCA_TEST_WRITE_FILE={target}"}]}
    seen: dict[str, Any] = {"modes": []}
    async with server_session(
        assistant_id="agent",
        model_name="fake:fake",
        no_mcp=True,
        enable_interpreter=False,  # It has a time limit that a busy machine misses.
        cwd=str(folder),
    ) as (agent, _):
        await agent.aensure_thread(thread)
        asked: Any = None
        async for _, mode, data in agent.astream(question, config=thread, subgraphs=True):
            seen["modes"].append(mode)
            if mode == "updates" and "__interrupt__" in data:
                asked = data["__interrupt__"][0]
        seen["asked"] = asked.value["action_requests"][0]["name"]
        seen["written before"] = target.exists()
        decision = Command(resume={asked.id: {"decisions": [{"type": "approve"}]}})
        last = ""
        async for _, mode, data in agent.astream(decision, config=thread, subgraphs=True):
            if mode == "messages" and data[0].type in ("ai", "AIMessageChunk"):
                last += str(data[0].text)
        seen["last"] = last
        seen["written"] = target.read_text()
        state = await agent.aget_state(thread)
        seen["next"] = list(state.next)
        seen["messages"] = len(state.values["messages"])
    return seen


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, project = Path(folder) / "home", Path(folder) / "project"
        home.mkdir()
        project.mkdir()
        prepare(home)
        replace()
        print(json.dumps(asyncio.run(converse(project))))


if __name__ == "__main__":
    main()
