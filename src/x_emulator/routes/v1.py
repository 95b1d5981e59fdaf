"""The routes of X's API v1.1 except media: one path, and a refusal of all other paths."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from x_emulator import billing
from x_emulator.auth import identify
from x_emulator.pipeline import Call, run
from x_emulator.responses import ApiResponse
from x_emulator.rules import metrics, refusals
from x_emulator.rules.refusals import Refusal
from x_emulator.state import RequestEntry, World

_NOT_IN_PLAN = (
    "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g."
    " media post, oauth) only. If you need access to this endpoint, you may need a different"
    " access level. You can learn more here: https://developer.x.com/en/portal/product"
)


async def verify_credentials(call: Call) -> ApiResponse:
    """`GET /1.1/account/verify_credentials.json`: returns the user in v1.1's format."""
    user, at = call.user, call.at
    fields: dict[str, Any] = {
        "id": int(user.id),
        "id_str": user.id,
        "name": user.name,
        "screen_name": user.username,
        "description": user.description,
        "created_at": user.created_at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "followers_count": metrics.follower_count(call.world, user, at),
        "friends_count": metrics.following_count(user, at),
        "statuses_count": user.posts_before + sum(1 for _ in call.world.live_posts(user.id)),
        "protected": user.protected,
        "verified": user.verified,
        "suspended": user.suspended,
        "lang": None,
        "url": None,
        "entities": {"description": {"urls": []}},
    }
    return ApiResponse(200, fields)


async def refuse_other_paths(request: Request) -> Response:
    """Refuse all paths of API v1.1 that the emulator does not serve.

    X refuses such paths too, because its present plans do not include them.
    """
    world: World = request.app.state.world
    entry = RequestEntry(
        at=world.now(),
        client_id=None,
        user_id=None,
        operation="v1_other",
        status=None,
        usd=billing.FREE,
    )

    async def respond() -> ApiResponse:
        caller = await identify.identify_caller(world, request, world.now())
        if isinstance(caller, Refusal):
            raise caller
        entry.client_id, entry.user_id = caller.app.client_id, caller.user_id
        raise refusals.v1_refusal(403, 453, _NOT_IN_PLAN)

    return await run(world, request, entry, respond, [])
