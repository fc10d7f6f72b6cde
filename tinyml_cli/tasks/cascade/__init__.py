"""A word, then a look: two models on one board."""
