"""What X charges for a request: the emulator's own meter, in dollars.

Source: the documentation's pricing page of April 2026. Reading the same thing again on the same
UTC day is free for an app; a refused request costs nothing, nor do tokens and uploads.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from x_emulator.state import World

FREE = Decimal(0)
CREATE = Decimal("0.015")
CREATE_WITH_LINK = Decimal("0.200")
CREATE_SUMMONED_REPLY = Decimal("0.010")
DELETE = Decimal("0.010")
MEDIA_METADATA = Decimal("0.005")
READ = {"post": Decimal("0.005"), "user": Decimal("0.010")}
OWNED_READ = Decimal("0.001")


def of_create(*, has_link: bool, summoned: bool) -> Decimal:
    """A new post. A link makes the price, also in a reply to somebody who asked for one."""
    if has_link:
        return CREATE_WITH_LINK
    return CREATE_SUMMONED_REPLY if summoned else CREATE


def charge_reads(
    world: World,
    client_id: str,
    kind: str,
    ids: Iterable[str],
    at: datetime,
    *,
    owned: bool = False,
) -> Decimal:
    """The price of what an answer holds, once per app, thing and UTC day.

    `owned`: the developer reads the developer's own, on a path that names the user.
    """
    day = at.date().isoformat()
    fresh = {(client_id, kind, each, day) for each in ids} - world.read_today
    world.read_today |= fresh
    return (OWNED_READ if owned else READ[kind]) * len(fresh)
