"""Where models come from and where they went: data, runs, variants, the registry, boards."""
