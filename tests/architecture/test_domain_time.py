"""Domain code never reads the machine's or the database's clock."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "roost"
#: Modules that need wall time: the clock, the HTTP transport, processes, the terminal.
WALL = {"clock.py", "emulator_clock.py", "x/transport.py"}
WALL_FOLDERS = ("cli/", "mediafile/", "store/embedded", "web/")
READS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}


def test_no_module_reads_the_machines_clock() -> None:
    found = []
    for path in SOURCE.rglob("*.py"):
        module = path.relative_to(SOURCE).as_posix()
        if module in WALL or module.startswith(WALL_FOLDERS):
            continue
        found += [
            f"{module}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in READS
        ]
    assert found == []


def test_no_statement_reads_the_databases_domain_time() -> None:
    text = "".join(
        path.read_text("utf-8").lower() for path in (SOURCE / "store" / "sql").glob("*.sql")
    )
    migrations = "".join(
        path.read_text("utf-8").lower() for path in (SOURCE / "store" / "migrations").rglob("*.py")
    )
    assert "now()" not in text + migrations
    assert "current_timestamp" not in text + migrations
