"""Publishing while workers die, X fails, clocks are wrong and the database restarts."""
