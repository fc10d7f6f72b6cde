"""The energy and emissions of a project: all trainings, and the devices in use."""
