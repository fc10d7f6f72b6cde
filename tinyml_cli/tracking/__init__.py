"""Experiment tracking: what stages tell is kept in a journal here first, and sent to MLflow from it."""
