"""Signed updates of the model on a board: keys, the update's bytes, and their delivery."""
