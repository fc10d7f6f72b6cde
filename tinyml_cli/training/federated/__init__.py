"""Federated learning: clients that keep their data, a server that averages what they changed."""
