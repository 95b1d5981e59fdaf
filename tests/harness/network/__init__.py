"""Publishing over faulty networks, and with wrong clocks."""
