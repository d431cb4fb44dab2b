"""The functional API: an entrypoint with a task, that remembers its previous value per thread."""

from langgraph.func import entrypoint, task

from langgraph_client import Server


@task
def double(number: int) -> int:
    return number * 2


@entrypoint()
def total(number: int, *, previous: int | None = None) -> entrypoint.final[dict[str, int], int]:
    doubled = double(number).result()
    summed = (previous or 0) + doubled
    return entrypoint.final(value={"doubled": doubled, "total": summed}, save=summed)


def main() -> None:
    with Server({"total": total}) as server:
        remote = server.remote_graph("total")
        for thread_id, number in [("a", 1), ("a", 10), ("b", 5)]:
            config = {"configurable": {"thread_id": thread_id}}
            print(f"thread {thread_id!r}, {number}:", remote.invoke(number, config))


if __name__ == "__main__":
    main()
