"""What X bills for a part that it has: its options and what is known of its parent count."""

from roost import prices, store
from roost.models import IntegrationId, Part
from roost.prices import Price
from roost.store.database import Statements


async def price_part(transaction: Statements, integration_id: IntegrationId, part: Part) -> Price:
    """The price of creating the part, for the ledger."""
    parent = part.options.reply_to
    own = await store.posts.list_own(transaction, integration_id, [parent]) if parent else ()
    return prices.price_of_part(part.text, part.options, has_media=bool(part.media), own=own)
