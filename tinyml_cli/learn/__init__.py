"""Lessons: what a network computes, how it learns and what int8 costs, each as one short experiment."""
