"""What a board says, as it says it."""
