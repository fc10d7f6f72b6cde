"""The extra `phone`: HEIC images and the sound formats of phones."""

from __future__ import annotations

from functools import cache

INSTALL_PHONE = 'pip install "tinyml-cli[phone]"'
HEIF_SUFFIXES = (".heic", ".heif", ".hif", ".avif")


@cache
def open_heif() -> bool:
    """Lets Pillow read HEIC if pillow-heif is installed; returns whether it is."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True
