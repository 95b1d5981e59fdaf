"""Analysis of snapshots: series, period metrics, anomalies, the read plan and reports.

The caller passes in all data. No function of this package reads a database or X.
"""
