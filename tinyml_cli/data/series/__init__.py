"""Sensor series from files of any tool: text tables, Edge Impulse JSON and CBOR, archives of phones.

`read.read_series` is the one reader; everything that takes motion or other series reads through it.
"""
