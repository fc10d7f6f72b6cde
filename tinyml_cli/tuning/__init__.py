"""The search for a network that a board can hold: many trials in one study, by any number of processes."""
