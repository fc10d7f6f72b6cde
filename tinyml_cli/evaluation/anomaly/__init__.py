"""Anomaly scores, thresholds and alarms, and what is measured with them."""
