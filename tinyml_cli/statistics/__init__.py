"""Figures with intervals: metrics, curves, rates, tests."""
