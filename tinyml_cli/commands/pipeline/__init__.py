"""Every stage in one go, from data to a board that has been tried.

\b
Examples:
  tinyml pipeline kws --words yes,no --board sim
  tinyml pipeline kws --help
  tinyml pipeline kws --words yes,no --json
"""

from __future__ import annotations

# Each task has a command; those of other packages share this module.
OTHER = "other"
