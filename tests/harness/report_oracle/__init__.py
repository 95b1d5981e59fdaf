"""An independent recomputation of every figure of a report, for a benchmark and a test.

Nothing in this package imports the computation of reports. The package uses the sentences of the
glossary, SQL over the tables, and numpy.
"""
