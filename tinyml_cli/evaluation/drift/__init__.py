"""Whether a board still sees data like its model's."""
