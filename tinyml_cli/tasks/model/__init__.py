"""A model file without a task."""
