from langgraph_sdk import Auth

auth = Auth()
USERS = {"Bearer a": "ann", "Bearer b": "bob", "Bearer r": "reader"}


@auth.authenticate
async def authenticate(authorization: str | None) -> Auth.types.MinimalUserDict:
    if authorization == "Bearer banned":
        raise Auth.exceptions.HTTPException(status_code=403, detail="banned")
    if authorization not in USERS:
        raise Auth.exceptions.HTTPException(status_code=401, detail="who are you?")
    return {"identity": USERS[authorization], "permissions": ["p"], "role": "member"}


@auth.on
async def own_things(ctx, value):
    if ctx.user.identity == "reader" and ctx.action not in ("read", "search"):
        return False
    value.setdefault("metadata", {})["owner"] = ctx.user.identity
    return {"owner": ctx.user.identity}


@auth.on.assistants.read
async def public_assistants(ctx, value):
    return None


@auth.on.assistants.search
async def all_assistants(ctx, value):
    return None


@auth.on.store
async def own_items(ctx, value):
    value["namespace"] = (ctx.user.identity, *(value["namespace"] or ()))
