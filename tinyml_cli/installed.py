"""Which Python packages are installed, without importing them."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec


def spec_of(module: str) -> ModuleSpec | None:
    """Where a package would be imported from; None where it is not installed, or an import hook hides it."""
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):  # ValueError: hidden by None in sys.modules
        return None
