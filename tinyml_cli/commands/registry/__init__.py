"""Versions of models in a folder: add runs, promote one through gates, go back, export, verify.

The folder is `registry/`, $TINYML_REGISTRY or --registry, and may lie on a shared disk. The alias `champion`
is the version in the product, `challenger` the newest that was added.

\b
Examples:
  tinyml registry add runs/lamp
  tinyml registry promote lamp
  tinyml registry
  tinyml registry rollback lamp
  tinyml registry verify --json
"""

from __future__ import annotations

COMMANDS = {
    "add": "add",
    "list": "list_",
    "show": "show",
    "promote": "promote",
    "rollback": "rollback",
    "export": "export",
    "verify": "verify",
}

# Runs where no command of the group is named.
DEFAULT = "list"
