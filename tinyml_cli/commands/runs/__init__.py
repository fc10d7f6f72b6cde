"""List, show, rename and remove runs.

A run is a folder in runs/ (or in $TINYML_RUNS). Commands take the latest one where none is named.

\b
Examples:
  tinyml runs
  tinyml runs --json
  tinyml runs show kws-yes-no
  tinyml runs rename kws-yes-no first-try
  tinyml runs rm first-try
"""

from __future__ import annotations

COMMANDS = {"list": "list_", "show": "show", "rename": "rename", "rm": "rm"}

# Runs where no command of the group is named.
DEFAULT = "list"
