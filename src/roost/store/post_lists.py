"""Reads lists of posts. The database filters, orders and limits each list."""

from dataclasses import dataclass

from roost.models import IntegrationId, Post
from roost.publishing.selection import ListGroup, Selection, fold_case, list_case_variants
from roost.store.database import Queries
from roost.store.posts import with_parts


@dataclass(frozen=True, slots=True)
class SelectedPost:
    """A post of a list, with its group and the size of the group before the list is limited."""

    post: Post
    group: ListGroup
    group_size: int


async def select(
    transaction: Queries, selection: Selection, integration_id: IntegrationId | None = None
) -> list[SelectedPost]:
    """Return the selected posts of the tenant, or of one account, group by group.

    The database filters, orders and limits the posts, so that only posts of the list are loaded.
    """
    search = fold_case(selection.search)
    variants, folded = list_case_variants(search) if search else ("", "")
    rows = await transaction.run(
        "select_posts",
        integration=integration_id,
        states=list(selection.states) or None,
        since=selection.since,
        until=selection.until,
        search=search,
        variants=variants,
        folded=folded,
        limit=selection.limit,
        limit_per_group=selection.limit_per_group,
    )
    return [
        SelectedPost(post, ListGroup(row["list_group"]), row["group_size"])
        for row, post in zip(rows, await with_parts(transaction, rows), strict=True)
    ]
