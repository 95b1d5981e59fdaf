"""Analysis of snapshots: series, period metrics, anomalies, the read plan and reports.

Everything here is computed from data that the caller passes in. Nothing reads a database or X.
"""
