"""Who may do what: threads and assistants belong to whoever makes them, as in the template."""

from langgraph_sdk import Auth

auth = Auth()


@auth.authenticate
async def get_current_user(authorization: str | None) -> Auth.types.MinimalUserDict:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Auth.exceptions.HTTPException(status_code=401, detail="Invalid token")
    return {"identity": token}


@auth.on.threads.create
@auth.on.threads.create_run
async def on_thread_create(ctx: Auth.types.AuthContext, value: dict) -> None:
    value.setdefault("metadata", {})["owner"] = ctx.user.identity


@auth.on.threads.read
@auth.on.threads.delete
@auth.on.threads.update
@auth.on.threads.search
async def on_thread_read(ctx: Auth.types.AuthContext, value: dict) -> Auth.types.FilterType:
    return {"owner": ctx.user.identity}


@auth.on.store()
async def authorize_store(ctx: Auth.types.AuthContext, value: dict) -> None:
    assert tuple(value["namespace"])[:1] == (ctx.user.identity,), "Not authorized"
