"""What a scenario does to requests and tokens when its hour comes: X is down, a user revokes.

Counts need no such thing, they are functions of time; a grant has a state, so what is due is
brought about by the next request that comes.
"""

from datetime import datetime

from x_emulator.state import World


def befall(world: World, at: datetime) -> bool:
    """Bring about what has come due; whether X is down now."""
    revocations = world.scenario.revocations
    while world.revocations_done < len(revocations):
        due = revocations[world.revocations_done]
        if at < due.at(world.started_at):
            break
        world.revocations_done += 1
        owners = {user.id for user in world.users.values() if user.rank == due.rank}
        for grant in world.grants:
            if grant.user_id in owners:
                grant.alive = False
    return world.scenario.is_out(world.started_at, at)
