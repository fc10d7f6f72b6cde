"""Sensor series from files of any tool: text tables, Edge Impulse JSON and CBOR, archives of phone apps.

`read.read_series` is the one reader; everything that takes motion or other series uses it.
"""
