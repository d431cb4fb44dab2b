from langgraph.stream import StreamTransformer

class ValuesTransformer(StreamTransformer):
    def __init__(self, scope: tuple[str, ...] = ...) -> None: ...

class MessagesTransformer(StreamTransformer):
    def __init__(self, scope: tuple[str, ...] = ...) -> None: ...
