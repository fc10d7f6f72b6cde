"""A project: a folder with recipe, data, budgets and CI around the runs of one product."""
