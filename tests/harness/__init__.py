"""Processes, networks and databases that fail, for acceptance tests and benchmarks."""
