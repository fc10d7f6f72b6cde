"""Manifests of earlier schemas, raised step by step to today's.

A step is a function from a document to a new one. Steps are never changed after a release: to change the
schema, change `Manifest`, append a step, and add manifests of the schema before it to tests/golden/manifests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def _v1_to_v2(document: Document) -> Document:
    """Runs that hear nothing lose the settings of sound. `task_settings` is new and starts empty."""
    if document.get("features") is not None:
        return document
    return {key: value for key, value in document.items() if key not in ("clip_ms", "recognizer")}


def _v2_to_v3(document: Document) -> Document:
    """Runs that look name the class that means that nothing is there: it was the first."""
    labels = document.get("labels")
    if document.get("presence") is None or not isinstance(labels, list) or not labels:
        return document
    return document | {"background": labels[0]}


_STEPS: tuple[Callable[[Document], Document], ...] = (_v1_to_v2, _v2_to_v3)
SCHEMA_VERSION = 1 + len(_STEPS)


def migrated(document: Document, version: int) -> Document:
    """The document of a manifest in today's schema; one that already is stays as it is.

    Args:
        document: as it was read, not validated.
        version: its schema, from 1 to SCHEMA_VERSION.
    """
    for step in _STEPS[version - 1 :]:
        document = step(document)
    return document | {"schema_version": SCHEMA_VERSION}
