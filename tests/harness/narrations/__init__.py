"""Good and hostile narrations of a report, and an oracle that finds invented numbers."""
