"""Post-training quantisation: the ranges that int8 covers, and what is done to a float model before."""
