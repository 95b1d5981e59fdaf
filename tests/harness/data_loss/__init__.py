"""Ways in which the database loses data, with real workers, machines and an operator."""
