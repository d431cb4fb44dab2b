from pydantic import BaseModel

class RunTree(BaseModel):
    def to_headers(self) -> dict[str, str]: ...
