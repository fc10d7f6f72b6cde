"""Data from this computer's sensors and from boards."""
