from dataclasses import dataclass


@dataclass(kw_only=True)
class Context:
    system_prompt: str = "You help."
    model: str = "fake/model"
    max_search_results: int = 10
