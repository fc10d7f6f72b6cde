"""Networks made smaller after training: rounded in training, pruned, clustered. Imports Keras."""
