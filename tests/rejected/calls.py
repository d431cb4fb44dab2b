"""Programs that must be rejected: every line marked `# wrong` is one error, and no other is."""

from __future__ import annotations

from langgraph_client import get_client, get_sync_client

client = get_sync_client()


def calls() -> None:
    client.threads.get(None)  # wrong
    client.threads.get("t", True)  # wrong
    client.threads.search(status="sleeping")  # wrong
    client.threads.search(select=["colour"])  # wrong
    client.runs.stream("t", "agent", stream_mode="everything")  # wrong
    client.runs.stream("t", "agent", version="v3")  # wrong
    client.runs.create("t", "agent", multitask_strategy="hope")  # wrong
    client.runs.cancel("t", "r", action="explode")  # wrong
    client.runs.wait("t")  # wrong
    client.crons.create("agent")  # wrong
    client.store.put_item(["a"], "k", 3)  # wrong
    client.threads.create().thread_id = 5  # wrong
    client.threads.create().created_at.no_such_method()  # wrong
    print(client.threads.create().thred_id)  # wrong
    get_client("http://localhost")  # wrong
