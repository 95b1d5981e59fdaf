"""Makes three pictures of a report for the documentation: wide, on a phone, and dark.

    PYTHONPATH=src:tests python tools/make_report_pictures.py [PAGE]

PAGE is the HTML file of a report. Without PAGE, the emulator's demo month is run, which takes about
a minute, and its report is shown. The pictures are written to `docs/images`. The script needs
Chromium.
"""

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from emulator.browser import Browser, browsing

_ROOT = Path(__file__).resolve().parents[1]
_IMAGES = _ROOT / "docs" / "images"
_MAX_BYTES = 120_000
_COLORS = 200


@dataclass(frozen=True)
class Picture:
    """A picture of a part of the page."""

    name: str
    width: int
    height: int
    scheme: str
    start: str
    """The selector of the element at the top of the picture."""


PICTURES = (
    Picture("report.png", 1180, 1400, "light", "body"),
    Picture("report-dark.png", 1180, 1000, "dark", "[id^='account-'][id$='-followers']"),
    Picture("report-phone.png", 390, 844, "light", "[id^='account-'][id$='-gained']"),
)


async def make_pictures(page: Path, folder: Path) -> None:
    """Write the pictures of a page to a folder."""
    with tempfile.TemporaryDirectory() as profile:
        async with browsing(Path(profile)) as browser:
            for picture in PICTURES:
                content = await _take(browser, page, picture)
                assert len(content) <= _MAX_BYTES, (picture.name, len(content))
                (folder / picture.name).write_bytes(content)
                print(f"{picture.name}: {len(content) / 1000:.0f} kB")


async def _take(browser: Browser, page: Path, picture: Picture) -> bytes:
    features = [{"name": "prefers-color-scheme", "value": picture.scheme}]
    await browser.send("Emulation.setEmulatedMedia", features=features)
    await browser.send("Emulation.setScrollbarsHidden", hidden=True)
    await browser.open(page.as_uri(), picture.width, picture.height)
    await browser.run(f"document.querySelector({picture.start!r}).scrollIntoView()")
    taken = await browser.send("Page.captureScreenshot", format="png")
    # Few colours make a small file; the page has hardly more.
    image = Image.open(BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    output = BytesIO()
    image.quantize(_COLORS, dither=Image.Dither.NONE).save(output, "PNG", optimize=True)
    return output.getvalue()


def run_demo(folder: Path) -> Path:
    """Run the demo in a folder, and return the page of its report."""
    search_path = os.pathsep.join([str(_ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "roost", "demo", "--json"]
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": search_path}, check=True)
    return folder / "out" / "demo" / "report.html"


def main() -> None:
    """Make the pictures of the given page, or of the demo's report."""
    if len(sys.argv) > 1:
        asyncio.run(make_pictures(Path(sys.argv[1]).resolve(), _IMAGES))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make_pictures(run_demo(Path(folder)), _IMAGES))


if __name__ == "__main__":
    main()
