"""tinyml: from words to a blinking board."""

__version__ = "0.1.0"
