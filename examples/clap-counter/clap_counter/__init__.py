"""Counts hand claps: an example of a task that another package brings to tinyml."""
