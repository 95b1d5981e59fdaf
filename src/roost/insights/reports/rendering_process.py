"""The rendering process: reads a form and a packed document, writes the files of the form.

Input: the name of the form and a line end, then the document. Output: MessagePack of the contents
by file name. `roost.services.report` starts this module.
"""

import os
import sys
from typing import Final

import msgspec

from roost.insights.reports.document_json import unpack_document
from roost.insights.reports.rendering import Form, render

#: The rendering yields to posts that are due: the process has a lower priority than its parent.
_NICENESS: Final = 10


def main() -> None:
    """Render one document."""
    os.nice(_NICENESS)
    form, _, packed = sys.stdin.buffer.read().partition(b"\n")
    files = render(unpack_document(packed), Form(form.decode()))
    sys.stdout.buffer.write(msgspec.msgpack.encode(files))


if __name__ == "__main__":
    main()
