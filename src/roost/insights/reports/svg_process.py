"""The drawing process: reads Vega-Lite specifications from stdin, writes pictures to stdout.

Input and output are JSON lists. The argument `svg` or `png` chooses the form of the pictures; a PNG
is written as base64. `svg.py` starts this file by its path in a fresh interpreter, so the file
imports nothing of Roost.
"""

import base64
import json
import sys

import vl_convert

#: The size of a PNG in pixels, as a multiple of the chart's size.
_PNG_SCALE = 2.0


def main() -> None:
    """Draw all specifications, without reading data from a network or the file system."""
    draw = _draw_png if sys.argv[1] == "png" else _draw_svg
    pictures = [draw(json.dumps(spec)) for spec in json.load(sys.stdin)]
    # Input and output are JSON in ASCII, so the machine's locale does not matter.
    sys.stdout.write(json.dumps(pictures))


def _draw_svg(spec: str) -> str:
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def _draw_png(spec: str) -> str:
    picture = vl_convert.vegalite_to_png(spec, scale=_PNG_SCALE, allowed_base_urls=[])
    return base64.b64encode(picture).decode("ascii")


if __name__ == "__main__":
    main()
