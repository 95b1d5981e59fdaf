"""The forms of a document: each renders the sections, tables and charts of any document."""
