"""Post-training quantisation: the ranges of int8, and changes to a float model beforehand."""
