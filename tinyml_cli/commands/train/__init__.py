"""Train keyword spotting, classes of images, a magic wand, anomaly detection or a first model, a sine.

\b
Examples:
  tinyml train hello
  tinyml train kws --words yes,no
  tinyml train kws --help
  tinyml train kws --words yes,no --json
"""

from __future__ import annotations

# Each task has a command; those of other packages share this module.
OTHER = "other"
