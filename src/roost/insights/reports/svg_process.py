"""The drawing process: Vega-Lite specifications from stdin become SVGs on stdout.

Both are JSON lists. The code has its own file because `svg.py` starts it by its path in a fresh
interpreter. It therefore imports nothing of Roost.
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
    # JSON in ASCII, both ways, is independent of the machine's locale.
    sys.stdout.write(json.dumps(pictures))


if __name__ == "__main__":
    main()
