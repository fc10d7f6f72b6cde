"""Thresholds and groups: rates at every threshold, and the thresholds that rules of fairness choose."""
