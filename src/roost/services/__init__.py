"""The use cases, such as connect, schedule, publish, collect metrics, alert and report."""
