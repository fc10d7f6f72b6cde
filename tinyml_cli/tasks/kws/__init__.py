"""Keyword spotting: everything that only this task knows."""
