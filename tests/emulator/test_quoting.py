"""Refusals that quote the request: by a fault for one request, by a switch for all."""

from emulator.account import Account


async def test_a_fault_refuses_a_text_by_quoting_it(account: Account) -> None:
    await account.emulator.fail("create_post", "before", "400quote")
    told = await account.create("No spending limit")
    [error] = told.body["errors"]
    assert (told.status, error["message"]) == (400, "The text 'No spending limit' was refused.")
    assert (await account.emulator.ground_truth())["posts"] == []
    assert (await account.create("No spending limit")).status == 201


async def test_every_refusal_quotes_text_and_name_by_switch(account: Account) -> None:
    await account.emulator.switch(quote_request_in_errors=True)
    told = await account.create("$ACME and $LUNE")
    assert told.status == 403
    assert told.body["detail"].endswith(" (of '$ACME and $LUNE' by Lark Books)")


async def test_nothing_is_quoted_by_default(account: Account) -> None:
    told = await account.create("$ACME and $LUNE")
    assert "ACME" not in str(told.body)
