"""Firmware onto a board."""
