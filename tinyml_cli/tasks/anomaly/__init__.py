"""Anomaly detection: everything that only this task knows."""
