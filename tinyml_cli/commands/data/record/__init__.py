"""Record words from a microphone, images from a camera, or strokes of a wand.

A recording that was interrupted is resumed by the same command.

\b
Examples:
  tinyml data record words --words marvin,sheila --speaker anna
  tinyml data record images --classes person,none
  tinyml data record strokes --gesture wing,ring
  tinyml data record words --words marvin --speaker ben --from-wav long.wav --json
"""

from __future__ import annotations

COMMANDS = {
    "words": "words",
    "images": "images",
    "strokes": "strokes",
}
