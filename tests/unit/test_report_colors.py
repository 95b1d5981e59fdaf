"""The colours of reports are readable in both schemes, whatever the accent is."""

from collections.abc import Callable

import pytest

from roost.insights.reports.colors import Palette, contrast, dark_palette, light_palette, paint

ACCENTS = ("", "#000000", "#ffffff", "#ffcc00", "#b3261e", "#2667a8", "#00ff00", "#0f766e")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("accent", ACCENTS)
@pytest.mark.parametrize("make_palette", [light_palette, dark_palette])
def test_texts_are_readable_on_their_backgrounds(
    make_palette: Callable[[str], Palette], accent: str
) -> None:
    palette = make_palette(accent)
    for background in (palette.paper, palette.tint):
        for text in (palette.ink, palette.muted, palette.accent, palette.alert, palette.gain):
            assert contrast(text, background) >= 4.5
    assert contrast(palette.ink, palette.alert_tint) >= 4.5


@pytest.mark.parametrize("accent", ACCENTS)
def test_colours_are_different__so_that_each_can_be_replaced(accent: str) -> None:
    colors = list(light_palette(accent).names().values())
    assert len(set(colors)) == len(colors)


def test_readable_accent_stays() -> None:
    assert light_palette("#0f766e").accent == "#0f766e"


def test_paint_replaces_only_whole_colours() -> None:
    accent = light_palette().accent
    painted = paint(
        {"color": accent, "rows": [{"label": f"{accent} books"}]}, light_palette("#0f766e")
    )
    assert painted == {"color": "#0f766e", "rows": [{"label": f"{accent} books"}]}
