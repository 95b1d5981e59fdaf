"""The benchmark of the writer: briefs, hostile replies, the model's server, and the oracle."""
