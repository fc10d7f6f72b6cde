"""The serial protocol and everything that carries it."""
