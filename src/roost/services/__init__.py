"""The use cases: connect, compose, schedule, publish, collect, alert, report."""
