"""Watch devices by MQTT, and bring releases to them in stages that go back by themselves.

A gateway (bridge) speaks for boards that have no address; the server keeps what they tell in one folder, and
moves rollouts on. Needs a broker such as Debian's mosquitto, and pip install 'tinyml-cli[fleet]'. See
docs/fleet.md.

\b
Examples:
  tinyml fleet serve
  tinyml fleet bridge --virtual 20 --sounds recordings/
  tinyml fleet rollout start runs/lamp
  tinyml fleet list --json
  tinyml fleet rollout status
"""

from __future__ import annotations

COMMANDS = {
    "serve": "serve",
    "bridge": "bridge",
    "list": "list_",
    "show": "show",
    "rollout": "rollout",
}

# Runs where no command of the group is named.
DEFAULT = "list"
