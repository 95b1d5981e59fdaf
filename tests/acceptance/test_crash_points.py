"""A worker falls silent at every named point; every post is on X exactly once all the same.

Real processes; which crashes there are stands in `bench/_cells.py`, and `./dev bench crashpoints`
plays each of them under every answer of X too.
"""

from pathlib import Path

import pytest
from _cells import Blow, kind_cells, plain_cells
from _ground import Ground
from _strike import play_all

from fix_postgres import PostgresServer

pytestmark = pytest.mark.timing


@pytest.mark.parametrize("blow", list(Blow), ids=[blow.value for blow in Blow])
async def test_every_post_is_out_exactly_once_after_a_worker_falls_silent(
    blow: Blow, migrated_server: PostgresServer, tmp_path: Path
) -> None:
    cells = [*plain_cells(blow), *(kind_cells() if blow is Blow.KILL else ())]
    verdicts = await play_all(Ground(migrated_server.url, tmp_path), cells, worlds=3)
    wrong = [f"{v.cell.name}: {'; '.join(v.wrong)}\n{v.story}" for v in verdicts if v.wrong]
    assert not wrong, "\n".join(wrong)
    assert len(verdicts) == len(cells)
    if blow is not Blow.KILL:
        assert any(verdict.lock_held for verdict in verdicts)
