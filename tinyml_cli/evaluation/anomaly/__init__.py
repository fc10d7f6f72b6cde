"""Anomaly scores, thresholds and alarms, and the measures computed from them."""
