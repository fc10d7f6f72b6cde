"""Models side by side: how good, how large, how fast, and whether the difference is more than chance."""
