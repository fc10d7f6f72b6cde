"""From a run to firmware."""
