"""A checkpointer of the application's own, which notes what it is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.memory import InMemorySaver

LOG = Path(__file__).with_name("saver.log")


class NotingSaver(InMemorySaver):
    async def aput(self, config, checkpoint, metadata, new_versions):
        note(f"put {config['configurable']['thread_id']}")
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def adelete_thread(self, thread_id: str) -> None:
        note(f"delete {thread_id}")
        await super().adelete_thread(thread_id)


def note(line: str) -> None:
    with LOG.open("a") as file:
        file.write(f"{line}\n")


@asynccontextmanager
async def make() -> AsyncIterator[NotingSaver]:
    note("open")
    yield NotingSaver()
    note("close")
