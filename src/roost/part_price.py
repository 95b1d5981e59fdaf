"""The price of a stored part, for three services that do not import each other."""

from roost import prices, store
from roost.models import IntegrationId, Part
from roost.prices import Price
from roost.store.database import Transaction


async def price_part(transaction: Transaction, integration_id: IntegrationId, part: Part) -> Price:
    """Return the ledger's price of creating a part.

    A reply to one of the account's own posts costs as much as a post that is no reply, so the
    parent is looked up in the database.
    """
    parent = part.options.reply_to
    own = await store.posts.list_own_parts(transaction, integration_id, [parent]) if parent else ()
    return prices.price_of_part(part.text, part.options, has_media=bool(part.media), own=own)
