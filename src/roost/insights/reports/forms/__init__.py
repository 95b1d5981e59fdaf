"""The forms of a report: each module renders a `Document`, and knows nothing of its content."""
