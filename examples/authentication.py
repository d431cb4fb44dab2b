"""Two users of one server: each has what is theirs, and the graph knows who asks."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Auth, LangGraphError, NotFoundError, Server

TOKENS = {"Bearer one": "ann", "Bearer two": "bob"}
auth = Auth()


@auth.authenticate
async def authenticate(authorization: str | None) -> str:
    if authorization not in TOKENS:
        raise Auth.exceptions.HTTPException(401, "who are you?")
    return TOKENS[authorization]


@auth.on
async def own_things_only(ctx: Auth.types.AuthContext, value: dict[str, Any]) -> dict[str, str]:
    value.setdefault("metadata", {})["owner"] = ctx.user.identity
    return {"owner": ctx.user.identity}


class State(TypedDict, total=False):
    text: str


def greet(state: State, config: RunnableConfig) -> State:
    return {"text": f"hello {config['configurable']['langgraph_auth_user'].identity}"}


graph = StateGraph(State).add_node("greet", greet).add_edge(START, "greet").compile()


def main() -> None:
    with Server({"greeter": graph}, auth=auth) as server:
        ann = server.sync_client(headers={"Authorization": "Bearer one"})
        bob = server.sync_client(headers={"Authorization": "Bearer two"})
        thread_id = ann.threads.create()["thread_id"]
        print("ann:", ann.runs.wait(thread_id, "greeter", input={}))
        try:
            bob.threads.get(thread_id)
        except NotFoundError as error:
            print("bob:", error.status_code)
        print("threads:", ann.threads.count(), bob.threads.count())
        try:
            server.sync_client().threads.count()
        except LangGraphError as error:
            print("nobody:", error)


if __name__ == "__main__":
    main()
