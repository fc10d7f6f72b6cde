"""Visual wake words: everything that only this task knows."""
