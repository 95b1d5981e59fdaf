"""The scenario's events that change the state: X is down, or a user revokes all apps.

Counts need no events, because they are functions of time. A grant has a state, so each request
first applies the events that are due.
"""

from datetime import datetime

from x_emulator.state import World


def apply_due_events(world: World, at: datetime) -> bool:
    """Apply the revocations that are due. Returns whether X is down."""
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
