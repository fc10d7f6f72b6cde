"""List, show and copy the recipes that come with tinyml.

A recipe is a YAML file that says what to train and how. --config takes the name of one of these, or a file.

\b
Examples:
  tinyml recipes
  tinyml recipes --json
  tinyml recipes show kws_small
  tinyml recipes copy kws_small mine.yaml
  tinyml train kws --words yes,no --config mine.yaml
"""

from __future__ import annotations

COMMANDS = {"list": "list_", "show": "show", "copy": "copy"}

# Runs where no command of the group is named.
DEFAULT = "list"
