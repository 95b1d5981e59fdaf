"""The program that draws: Vega-Lite specifications from stdin to SVG on stdout, both JSON lists.

`svg.py` runs it by its path in a fresh interpreter, so it imports nothing of Roost.
"""

import json
import sys

import vl_convert


def main() -> None:
    """Draw them all; nothing is fetched from anywhere."""
    pictures = [
        vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
        for spec in json.load(sys.stdin)
    ]
    # JSON in ASCII both ways: no locale of the machine can spoil it.
    sys.stdout.write(json.dumps(pictures))


if __name__ == "__main__":
    main()
