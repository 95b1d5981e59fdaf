"""Tests of polls: their options, votes in proportion to views, and closing."""

from typing import Any

from emulator.account import Account

FIELDS = {
    "expansions": "attachments.poll_ids",
    "poll.fields": "duration_minutes,end_datetime,voting_status",
}
POLL = {"options": ["Tea", "Coffee", "Water"], "duration_minutes": 60}


async def read_poll(account: Account, post_id: str, **fields: str) -> dict[str, Any]:
    response = await account.get(f"/2/tweets/{post_id}", **fields)
    [poll] = response.body["includes"]["polls"]
    assert response.data["attachments"] == {"poll_ids": [poll["id"]]}
    found: dict[str, Any] = poll
    return found


async def test_poll_opens_collects_votes_and_closes(account: Account) -> None:
    await account.emulator.freeze()
    post_id = await account.post("What do you drink?", poll=POLL)
    poll = await read_poll(account, post_id, **FIELDS)
    assert [(each["position"], each["label"]) for each in poll["options"]] == [
        (1, "Tea"),
        (2, "Coffee"),
        (3, "Water"),
    ]
    assert sum(each["votes"] for each in poll["options"]) == 0
    assert (poll["voting_status"], poll["duration_minutes"]) == ("open", 60)
    await account.emulator.jump(hours=1)
    at_the_end = await read_poll(account, post_id, **FIELDS)
    assert at_the_end["voting_status"] == "closed"
    assert sum(each["votes"] for each in at_the_end["options"]) > 0
    await account.emulator.jump(hours=0.5)
    assert await read_poll(account, post_id, **FIELDS) == at_the_end


async def test_poll_has_id_and_options_by_default(account: Account) -> None:
    post_id = await account.post("What do you drink?", poll=POLL)
    poll = await read_poll(account, post_id, expansions="attachments.poll_ids")
    assert poll.keys() == {"id", "options"}
