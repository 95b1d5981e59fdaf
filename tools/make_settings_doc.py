"""Writes docs/settings.md from the fields of `roost.settings.Settings`; a test compares."""

from pathlib import Path

from roost.settings import Settings

_HEAD = """# Settings

From the environment or a file `.env` in the working folder. A malformed one is named at the start,
with what it is for; nothing starts half-configured. This page is made by
`tools/make_settings_doc.py` from the code.

| setting | default | what it is for |
|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = []
    for name, field in Settings.model_fields.items():
        if name == "roost_home":
            default = "`~/.roost`"
        else:
            default = "–" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name.upper()}` | {default} | {field.description} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "settings.md").write_text(page(), "utf-8")
