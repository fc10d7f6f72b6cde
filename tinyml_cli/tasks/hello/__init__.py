"""The first model: a sine that breathes a board's light."""
