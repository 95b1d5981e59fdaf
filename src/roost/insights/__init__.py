"""What readings mean: series, anomalies, plan, report, charts, svg, render. No database, no X."""
