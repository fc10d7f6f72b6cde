"""Smaller networks after training: quantisation-aware training, pruning, clustering. Imports Keras."""
