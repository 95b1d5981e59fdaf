"""The database allows exactly the state changes in `POST_MOVES` and `PART_MOVES`."""

from collections.abc import Mapping
from enum import StrEnum

import psycopg
import pytest

from fix_publishing import Publisher
from roost import store
from roost.models import PART_MOVES, POST_MOVES, PostState


@pytest.mark.parametrize(("table", "moves"), [("posts", POST_MOVES), ("parts", PART_MOVES)])
def test_the_moves_of_the_database_are_those_of_the_models(
    table: str, moves: Mapping[StrEnum, frozenset[StrEnum]], admin_url: str
) -> None:
    with psycopg.connect(admin_url) as connection:
        row = connection.execute(
            "SELECT tgargs FROM pg_trigger WHERE tgname = 'legal_moves'"
            " AND tgrelid = ('roost.' || %s)::regclass",
            [table],
        ).fetchone()
    assert row is not None
    moves_in_database = {move.decode() for move in bytes(row[0]).split(b"\0") if move}
    assert moves_in_database == {f"{before}>{after}" for before in moves for after in moves[before]}


async def test_an_illegal_change_raises_and_changes_nothing(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=60)
    with pytest.raises(psycopg.errors.CheckViolation, match="may not go from scheduled"):
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            await store.posts.move(
                transaction, post_id, PostState.SCHEDULED, PostState.PUBLISHED,
                at=publisher.runtime.clock.now(),
            )  # fmt: skip
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED


async def test_a_sent_part_cannot_become_pending(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    with pytest.raises(psycopg.errors.CheckViolation, match="may not go from sent"):
        async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
            await transaction.raw.execute(
                "UPDATE parts SET state = 'pending', sent_as = NULL WHERE id = %s", [part.id]
            )
    assert (await publisher.get_post(post_id)).parts[0].sent_as == part.sent_as
