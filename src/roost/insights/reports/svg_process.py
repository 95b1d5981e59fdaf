"""The drawing process: Vega-Lite specifications from stdin become SVGs on stdout.

Both are JSON lists. `svg.py` starts this file by its path in a fresh interpreter, so the file
imports nothing of Roost.
"""

import json
import sys

import vl_convert


def main() -> None:
    """Draw all specifications; no data is fetched from a network or the file system."""
    pictures = [
        vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
        for spec in json.load(sys.stdin)
    ]
    # Input and output are JSON in ASCII, so the machine's locale does not matter.
    sys.stdout.write(json.dumps(pictures))


if __name__ == "__main__":
    main()
