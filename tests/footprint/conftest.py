"""Fixtures: those of the registry."""

from __future__ import annotations

from tests.model_registry.conftest import make_run, store

__all__ = ["make_run", "store"]
