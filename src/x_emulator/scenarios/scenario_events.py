"""Applies the scenario's revocations to stored grants, and determines whether X is down.

The stored state of a grant must be changed, so each request first applies the revocations that are
due. Changes of metrics need no such step, because metrics are computed from the time.
"""

from datetime import datetime

from x_emulator.state import World


def apply_due_events(world: World, at: datetime) -> bool:
    """Apply the revocations that are due; return whether X is down at this instant."""
    revocations = world.scenario.revocations
    while world.revocations_applied < len(revocations):
        due = revocations[world.revocations_applied]
        if at < due.at(world.started_at):
            break
        world.revocations_applied += 1
        user_ids = {user.id for user in world.users.values() if user.index == due.account}
        for grant in world.grants:
            if grant.user_id in user_ids:
                grant.alive = False
    return world.scenario.is_down(world.started_at, at)
