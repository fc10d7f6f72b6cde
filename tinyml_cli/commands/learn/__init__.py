"""Experiments that show how networks work: each takes seconds, needs no data and ends in a picture.

\b
Examples:
  tinyml learn loss --w 2 --b -1
  tinyml learn descent --rate 0.3
  tinyml learn descent --rate 0.3 --json
"""

from __future__ import annotations

COMMANDS = {
    "loss": "loss",
    "descent": "descent",
    "neuron": "neuron",
    "digits": "digits",
    "filter": "filter_",
    "overfit": "overfit",
    "quantize": "quantize",
}
