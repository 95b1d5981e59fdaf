"""Three ways in which the database forgets, with real worker processes; nothing is on X twice.

`./dev bench data_loss` plays every schedule, each with X's refusal of duplicates off and on.
"""

from pathlib import Path

import pytest
from _cluster import open_site
from _loss_list import all_schedules
from _loss_play import Play, play_all

pytestmark = pytest.mark.timing

_PLAYS = {
    "failover running, 1 s behind": False,
    "dump recreate, running": True,
    "snapshot after a stop": False,
}
"""Names of schedules, and whether X refuses duplicates."""


async def test_a_database_that_forgot_neither_repeats_nor_loses_a_post(tmp_path: Path) -> None:
    plays = [Play(each, _PLAYS[each.name]) for each in all_schedules() if each.name in _PLAYS]
    assert len(plays) == len(_PLAYS)
    async with open_site(tmp_path) as site:
        verdicts = await play_all(site, tmp_path, plays, worlds=3, seed=7)
    wrong = [
        f"{each.play.name}: {each.broken or each.story}"
        for each in verdicts
        if each.broken or each.harm
    ]
    assert not wrong, "\n".join(wrong)
    assert len(verdicts) == len(plays)
