"""Publishing over faulty networks and by wrong clocks."""
