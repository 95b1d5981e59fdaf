"""Looks from the page's process whether posts go out in time: the workers may all be gone."""

import asyncio
import logging
from typing import Final

from roost.runtime import Runtime
from roost.services import monitor
from roost.store.away import DATABASE_AWAY

log = logging.getLogger(__name__)

#: Wall seconds between two looks.
_LOOK_EVERY_S: Final = 30.0


async def look_out(runtime: Runtime) -> None:
    """Sound the alert while a post is late, and end it again; until cancelled."""
    while True:
        try:
            await monitor.check_lateness(runtime)
        except DATABASE_AWAY as error:
            log.warning("the look-out cannot reach the database (%s)", type(error).__name__)
        await asyncio.sleep(_LOOK_EVERY_S)
