from typing_extensions import TypedDict


class State(TypedDict, total=False):
    told: dict[str, str]
