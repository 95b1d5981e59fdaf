"""The documentation says what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["settings", "errors"])
def test_the_page_is_what_the_code_says(page: str) -> None:
    script = f"import make_docs; print(make_docs.{page}_page(), end='')"
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT / "tools"
    )
    assert made.returncode == 0, made.stderr
    assert (ROOT / "docs" / f"{page}.md").read_text("utf-8") == made.stdout


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []


def test_every_command_of_the_readme_exists() -> None:
    from roost.cli import app

    text = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^roost (\w+)", text, re.MULTILINE))
    assert named
    assert named <= set(app)
