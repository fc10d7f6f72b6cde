"""What boards are, as data."""
