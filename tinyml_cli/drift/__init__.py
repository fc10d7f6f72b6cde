"""Whether the world has moved since training."""
