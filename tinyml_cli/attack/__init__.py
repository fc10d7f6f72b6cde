"""Adversarial items: made against a run's own model, and judged as the board judges."""
