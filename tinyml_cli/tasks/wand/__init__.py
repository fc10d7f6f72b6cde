"""The magic wand: everything that only this task knows."""
