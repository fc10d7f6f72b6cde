"""Imports motion and other series of other tools into folders of CSV."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.data.clip_files import write_new
from tinyml_cli.data.series import windows
from tinyml_cli.data.series.read import Series, read_series
from tinyml_cli.data.series.sources import SeriesSource, sources
from tinyml_cli.data.series.write import as_csv
from tinyml_cli.datasets.import_labels import Labels, Origin
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe


def read_all(files: list[Path], options: SeriesRecipe) -> tuple[list[Series], dict[Path, str]]:
    """The series that files hold, and why the other files hold none.

    Raises:
        TinymlError: files of which two readings are possible.
    """
    refused: dict[Path, TinymlError] = {}
    in_windows = {
        path: "a table of windows; `tinyml train anomaly` reads it as it is"
        for path in files
        if options.columns is None and windows.is_windows(path)
    }
    found, skipped = sources([path for path in files if path not in in_windows], refused)
    series = read_series(found, options, refused=refused)
    return series, skipped | in_windows | {
        path: f"{error.what}. {error.next_step}" for path, error in refused.items()
    }


def origin_of(source: SeriesSource, root: Path, labels: Labels) -> Origin:
    """What a recording shows; where a folder is the recording, the folder above it says so."""
    return Origin(source.place(root)[1]) if source.whole else labels.of(source.path)


def write(series: Series, root: Path, folder: Path, written: set[Path]) -> str:
    """Writes a series as CSV into the folder of its label; why not, or nothing.

    Args:
        series: what to write.
        root: the folder that it comes from.
        folder: OUT/LABEL.
        written: files of this run, which none may take the place of.
    """
    _, label, person = series.source.place(root)
    folder = folder / person if person and label == folder.name else folder
    content = as_csv(series).encode()
    for stem in _stems(series, root):
        target = folder / f"{stem}.csv"
        if target in written:
            continue
        try:
            write_new(target, content)
        except FileExistsError:
            if target.read_bytes() == content:
                return "it was already imported"
            continue
        written.add(target)
        break
    return ""


def _stems(series: Series, root: Path) -> Iterator[str]:
    """Names for a recording: its own, with its folders where others have that too, then numbered."""
    place = series.path.parent if series.source.whole else series.path
    own = place.name if series.source.whole else place.stem
    inside = "_".join([*place.relative_to(root).parts[:-1], own])
    yield from dict.fromkeys([own, place.name, inside])
    yield from (f"{inside}_{number}" for number in itertools.count(2))
