"""The drawing process: reads Vega-Lite specifications from stdin, writes SVGs to stdout.

Input and output are JSON lists. `svg.py` starts this file by its path in a fresh interpreter, so
the file imports nothing of Roost.
"""

import json
import sys

import vl_convert


def main() -> None:
    """Draw all specifications, without reading data from a network or the file system."""
    pictures = [
        vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
        for spec in json.load(sys.stdin)
    ]
    # Input and output are JSON in ASCII, so the machine's locale does not matter.
    sys.stdout.write(json.dumps(pictures))


if __name__ == "__main__":
    main()
