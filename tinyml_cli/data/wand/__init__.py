"""Gestures: strokes that a wand draws in the air, recorded or drawn by a model of a hand."""
