"""Continuous training: when to train again, on what, and whether the new model takes the champion's place."""
