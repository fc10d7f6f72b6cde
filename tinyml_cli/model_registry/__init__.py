"""The model registry: versions of models in a folder that any number of people and computers share."""
