"""Renders a document in a separate process, which `roost.services.report` starts.

The process reads the name of the form, a line end and a document packed by `pack_document` from
stdin. It writes a MessagePack map of the contents by file name to stdout.
"""

import os
import sys
from typing import Final

import msgspec

from roost.insights.reports.document_json import unpack_document
from roost.insights.reports.rendering import Form, render

#: The process lowers its CPU priority by this value, so that rendering does not delay due posts.
_NICENESS: Final = 10


def main() -> None:
    """Render the document from stdin, and write the files to stdout."""
    os.nice(_NICENESS)
    form, _, packed = sys.stdin.buffer.read().partition(b"\n")
    files = render(unpack_document(packed), Form(form.decode()))
    sys.stdout.buffer.write(msgspec.msgpack.encode(files))


if __name__ == "__main__":
    main()
