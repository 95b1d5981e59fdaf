"""Real processes, faulty networks and crashes for the acceptance tests and the benchmarks."""
