"""The senses of this computer: its microphone and its camera."""
