"""Tests of refusals that quote the request: one refusal by a fault, or all by a switch."""

from emulator.account import Account


async def test_400quote_refuses_a_text_and_quotes_it(account: Account) -> None:
    await account.emulator.fail("create_post", "before", "400quote")
    response = await account.create("No spending limit")
    [error] = response.body["errors"]
    assert (response.status, error["message"]) == (400, "The text 'No spending limit' was refused.")
    assert (await account.emulator.ground_truth())["posts"] == []
    assert (await account.create("No spending limit")).status == 201


async def test_refusals_quote_text_and_name_by_switch(account: Account) -> None:
    await account.emulator.switch(quote_request_in_errors=True)
    response = await account.create("$ACME and $LUNE")
    assert response.status == 403
    assert response.body["detail"].endswith(" (of '$ACME and $LUNE' by Lark Books)")


async def test_refusals_quote_nothing_by_default(account: Account) -> None:
    response = await account.create("$ACME and $LUNE")
    assert "ACME" not in str(response.body)
