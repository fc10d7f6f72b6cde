"""Shows images to a device as its camera's frames, and compares its answers with folder names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import pack_frame
from tinyml_cli.images import image_file
from tinyml_cli.images.image_file import UnreadableImageError, decode
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Image, Person, printable
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.wording import counted

OnEvent = Callable[[Event], None]


def pictures(path: Path, tell: bool = False) -> list[Path]:
    """The image files of a folder and its folders, sorted, or the file itself; `tell` warns of all others.

    Raises:
        TinymlError: no such path, or no image in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise TinymlError(
            "The image or folder does not exist", str(path), "Give a file or folder to --replay."
        )
    known = image_file.suffixes()
    found = sorted(
        p for p in path.rglob("*") if p.suffix.lower() in known and not p.name.startswith(".") and p.is_file()
    )
    rest = inventory.left_out(path, found, "image", known)
    if not found:
        raise TinymlError(
            f"The folder contains no images{inventory.explained(rest)}",
            str(path),
            "Give a folder with images.",
        )
    if tell:
        inventory.tell(rest)
    return found


def replay_images(
    link: Link, folder: Path, manifest: Manifest, on_event: OnEvent, stop_at: float | None = None
) -> Iterator[PlayedClip]:
    """Shows every image of a folder (or one file), each after a reset, for as many frames as it takes.

    Args:
        link: an open device.
        folder: the root of folders named by labels, one such folder, or a file.
        manifest: labels, the camera's frame, and how many frames in a row count.
        on_event: told every event as it comes.
        stop_at: `time.monotonic()` to stop at.

    Yields:
        What was seen of each; `detected` is None where that was nothing, or `none`.

    Raises:
        TinymlError: no images there; or, after all others were shown, those that could not be read.
    """
    damaged: list[tuple[Path, str]] = []
    for path in pictures(folder):
        if stop_at is not None and time.monotonic() >= stop_at:
            return
        try:
            picture = decode(image_file.read_bytes(path))
        except (UnreadableImageError, OSError) as error:
            damaged.append((path, str(error)))
            continue
        if picture.note:
            console.info(f"{printable(path.name)}: {picture.note}")
        link.take_events()
        link.reset()
        seen = show_frames(link, picture.pixels, manifest, on_event)
        yield judged(path, folder, seen, manifest)
    if damaged:
        path, why = damaged[0]
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise TinymlError(
            f"`{printable(path.name)}`{more} cannot be read as an image: {why}",
            str(path),
            "All others were shown. Fix or remove it and run the command again.",
        )


def expected_label(path: Path, root: Path, labels: list[str]) -> str | None:
    """What the folder of `path` promises; a stranger's folder means `none`, but only below `root`."""
    name = path.resolve().parent.name
    if name in labels:
        return name
    others = next((label for label in labels if label.lower() == NONE), None)
    return others if path.parent != root and path != root else None


def judged(path: Path, root: Path, seen: list[Person], manifest: Manifest) -> PlayedClip:
    """The clip of an image, below a folder or named itself, after which a board saw these."""
    background = manifest.background
    unseen = None if background is None or background.lower() == NONE else background
    last = seen[-1] if seen else None
    return PlayedClip.of(
        path.relative_to(root).as_posix() if path != root else path.name,
        expected_label(path, root, manifest.labels),
        last.label if last is not None and last.present else unseen,
        detections=[person.as_dict() for person in seen],
    )


def show_frames(link: Link, pixels: NDArray[np.uint8], manifest: Manifest, on_event: OnEvent) -> list[Person]:
    """Shows a picture [rows, columns, 1 or 3] for as many frames as it takes until something counts as seen.

    Raises:
        TinymlError: the device stops answering, or looks through another model.
    """
    assert manifest.image is not None
    assert manifest.presence is not None
    image = manifest.image
    frame = pack_frame(pixels, image.frame_width, image.frame_height, image.frame_format)
    seen: list[Person] = []
    for _ in range(manifest.presence.frames_on):
        link.feed_frame(frame)
        for event in link.take_events():
            on_event(event)
            if isinstance(event, Person):
                seen.append(event)
            elif isinstance(event, Image) and len(event.q) != len(manifest.labels):
                raise TinymlError(
                    f"The board reports {counted(len(event.q), 'score')}, but the run has "
                    f"{counted(len(manifest.labels), 'label')}",
                    link.url,
                    f"Run `{on_this_run('flash')}` again with the right --board.",
                )
    return seen
