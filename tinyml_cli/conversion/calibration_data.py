"""Calibration samples from users' files: .npz, .npy, or a folder of arrays or images."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.array_file import UnreadableArrayError, check_arrays, read_array, read_arrays
from tinyml_cli.console import console
from tinyml_cli.conversion.calibration_samples import ADVICE, Array, checked
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.image_file import UnreadableImageError, check_size, decode, read_bytes, suffixes
from tinyml_cli.limits import decode_limit_bytes, over_limit
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from tinyml_cli.models.source_network import InputSpec


RANDOM = "random"
MAX_SAMPLES = 500
_FEW_SAMPLES = 50
_ARRAYS = (".npz", ".npy")
# A random number is drawn as float64 and kept as float32.
_RANDOM_BYTES = 12


@dataclass(frozen=True)
class Samples:
    """Model inputs.

    Attributes:
        arrays: one [n, ...] per model input.
        origin: where they came from: a path, or `random`.
    """

    arrays: tuple[Array, ...]
    origin: str


def load(
    given: str | None,
    inputs: Sequence[InputSpec],
    limit: int = MAX_SAMPLES,
    value_range: tuple[float, float] | None = None,
    seed: int = 1,
) -> Samples:
    """Reads calibration samples for a model.

    Args:
        given: a path, or `random`; None is refused with advice.
        inputs: what the model takes.
        limit: at most so many samples, spread evenly over what there is.
        value_range: what black and white of an image mean, or the range of random numbers.
        seed: of random numbers.

    Raises:
        TinymlError: nothing given, nothing readable, or data that do not fit the model.
    """
    path = _existing(given, limit)
    if path is None:
        return Samples(_random(inputs, min(limit, 100), value_range or (0.0, 1.0), seed), RANDOM)
    found = _from_folder(path, inputs, limit, value_range) if path.is_dir() else _from_file(path, inputs)
    arrays = tuple(checked(values, spec, where) for (values, where), spec in zip(found, inputs, strict=True))
    counts = {len(values) for values in arrays}
    if len(counts) > 1:
        raise TinymlError(
            f"The inputs have different numbers of samples: {', '.join(map(str, sorted(counts)))}",
            str(path),
            "Give the same number of samples for each input.",
        )
    arrays = tuple(_spread(values, limit) for values in arrays)
    _tell(arrays, inputs)
    return Samples(arrays, str(path.resolve()))


def check(given: str | None, limit: int = MAX_SAMPLES) -> None:
    """Judges what calibration data declare, before a model is loaded for them.

    Args:
        given, limit: as in `load`.

    Raises:
        TinymlError: nothing given, nothing readable, or a file over the limit of memory.
    """
    path = _existing(given, limit)
    if path is None:
        return
    arrays, images = _files(path) if path.is_dir() else ([path], [])
    for each in _evenly(arrays, limit):
        with _reading_arrays(each):
            check_arrays(each)
    for each in _evenly(images, limit):
        with _reading_image(each):
            check_size(read_bytes(each))


def _existing(given: str | None, limit: int) -> Path | None:
    """The path of the data; None for random ones."""
    if given is None:
        raise TinymlError("An int8 model needs calibration data", "--calibration", ADVICE)
    if limit < 1:
        raise TinymlError(f"Too few calibration samples: {limit}", "--samples", "Use at least 10.")
    path = Path(given)
    if not path.exists():
        if given == RANDOM:
            return None
        raise TinymlError("The calibration data does not exist", given, ADVICE)
    if path.is_file() and path.suffix.lower() not in _ARRAYS:
        raise TinymlError(f"`{path.name}` is not a supported kind of calibration data", given, ADVICE)
    return path


def _random(
    inputs: Sequence[InputSpec], n: int, value_range: tuple[float, float], seed: int
) -> tuple[Array, ...]:
    console.warn(
        "random calibration data: the int8 ranges are meaningless, and so are errors and accuracy; use "
        "it only to try tools and sizes"
    )
    rng = np.random.default_rng(seed)
    arrays = []
    for spec in inputs:
        sizes = [size for size in spec.shape if size is not None]
        if len(sizes) < len(spec.shape):
            raise TinymlError(
                f"The input {spec} has undefined dimensions, so random data cannot be generated",
                "--calibration",
                "Give data of the size used on the board.",
            )
        sample_bytes = _RANDOM_BYTES * math.prod(sizes)
        if reason := over_limit(sample_bytes):
            raise TinymlError(f"A random sample of {spec} is not made: {reason}", "--calibration", ADVICE)
        count = max(1, min(n, decode_limit_bytes() // sample_bytes))
        arrays.append(rng.uniform(*value_range, (count, *sizes)).astype(spec.dtype))
    return tuple(arrays)


def _from_file(path: Path, inputs: Sequence[InputSpec]) -> list[tuple[Array, str]]:
    """One array per input, with what messages call it."""
    if path.suffix.lower() == ".npy":
        return _assigned({"": _numpy(path)}, inputs, path)
    return _assigned(_numpy(path), inputs, path)


def _assigned(arrays: dict[str, Array], inputs: Sequence[InputSpec], path: Path) -> list[tuple[Array, str]]:
    """Arrays to inputs: by name; for a model with one input the first array, whatever its name."""
    if not arrays:
        raise TinymlError("The file contains no arrays", str(path), ADVICE)
    if all(spec.name in arrays for spec in inputs):
        return [(arrays[spec.name], f"{path} [{spec.name}]") for spec in inputs]
    if len(inputs) == 1:
        name = next(iter(arrays))
        if len(arrays) > 1:
            console.info(f"{path.name} has {', '.join(arrays)}; calibrating on `{name}`.")
        return [(arrays[name], f"{path} [{name}]" if name else str(path))]
    raise TinymlError(
        f"The model has {counted(len(inputs), 'input')}, {', '.join(map(str, inputs))}; the file has the "
        f"arrays {', '.join(name or '(one without a name)' for name in arrays)}",
        str(path),
        "Save one array per input under its name: numpy.savez('data.npz', "
        + ", ".join(f"**{{'{spec.name}': …}}" for spec in inputs)
        + ")",
    )


def _numpy(path: Path) -> Any:
    """The array of an .npy, a dictionary of those of an .npz. Never unpickles."""
    with _reading_arrays(path):
        return read_array(path) if path.suffix.lower() == ".npy" else read_arrays(path)


@contextlib.contextmanager
def _reading_arrays(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableArrayError as error:
        raise TinymlError(
            f"Cannot read the file: {error}",
            str(path),
            "Write it with numpy.save or numpy.savez, from arrays of numbers.",
        ) from error


@contextlib.contextmanager
def _reading_image(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableImageError as error:
        raise TinymlError(
            f"Cannot read the image: {error}", str(path), "Remove it or save it again."
        ) from error


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The arrays and the images below a folder: it must have files of one of both kinds."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    arrays = [path for path in files if path.suffix.lower() in _ARRAYS]
    images = [path for path in files if path.suffix.lower() in suffixes()]
    if bool(arrays) == bool(images):
        found = "both arrays and images" if arrays else "neither .npy nor .npz files nor images"
        rest = "" if arrays else inventory.explained(inventory.left_out(folder, (), "input", ()))
        raise TinymlError(f"The folder contains {found}{rest}", str(folder), ADVICE)
    return arrays, images


def _from_folder(
    folder: Path, inputs: Sequence[InputSpec], limit: int, value_range: tuple[float, float] | None
) -> list[tuple[Array, str]]:
    arrays, images = _files(folder)
    inventory.tell(inventory.left_out(folder, [*arrays, *images], "input", ()))
    if images:
        return [_images(images, inputs, limit, value_range, folder)]
    per_file = [_from_file(path, inputs) for path in _evenly(arrays, limit)]
    joined = []
    for position, spec in enumerate(inputs):
        parts = [_as_batch(*each[position], spec) for each in per_file]
        shapes = sorted({part.shape[1:] for part in parts})
        if len(shapes) > 1:
            raise TinymlError(
                f"The files contain samples of different shapes: {shapes[0]} and {shapes[1]}",
                str(folder),
                f"The model needs {spec}.",
            )
        joined.append((np.concatenate(parts), str(folder)))
    return joined


def _as_batch(values: Array, where: str, spec: InputSpec) -> Array:
    """A file of a folder may hold one sample or several."""
    return checked(values[None] if values.ndim and spec.accepts(values.shape) else values, spec, where)


def _images(
    paths: Sequence[Path],
    inputs: Sequence[InputSpec],
    limit: int,
    value_range: tuple[float, float] | None,
    folder: Path,
) -> tuple[Array, str]:
    if len(inputs) != 1 or len(inputs[0].shape) not in (2, 3) or inputs[0].dtype != "float32":
        raise TinymlError(
            f"The model's inputs are not images: {', '.join(map(str, inputs))}", str(folder), ADVICE
        )
    if value_range is None:
        raise TinymlError(
            "Images do not tell which values of black and white the model expects: 0 and 255, 0 and 1, "
            "or -1 and 1",
            "--range",
            "Give the range it was trained on: --range 0,255 or --range 0,1 or --range=-1,1",
        )
    low, high = value_range
    samples = [_image(path, inputs[0]) for path in _evenly(paths, limit)]
    return np.stack(samples) * np.float32(high - low) + np.float32(low), str(folder)


def _image(path: Path, spec: InputSpec) -> Array:
    """One image as float32 in 0 … 1, in the model's shape."""
    with _reading_image(path):
        pixels = decode(read_bytes(path), min_side=1).pixels / np.float32(255)
    if len(spec.shape) == 2 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if not spec.accepts(pixels.shape):
        raise TinymlError(
            f"The image has the shape {list(pixels.shape)} (height, width, channels), the model needs {spec}",
            str(path),
            "Crop and scale the images as in training, to this size and number of channels.",
        )
    return np.asarray(pixels, np.float32)


def _tell(arrays: Sequence[Array], inputs: Sequence[InputSpec]) -> None:
    for values, spec in zip(arrays, inputs, strict=True):
        low, high, mean = float(values.min()), float(values.max()), float(values.mean())
        if low == high and len(arrays) == 1:
            raise TinymlError(
                f"Every value of the calibration data is {low:g}",
                f"input {spec}",
                "Use real inputs: calibration measures the range of values.",
            )
        console.info(
            f"Calibrating {spec} on {counted(len(values), 'sample')} from {low:.4g} to {high:.4g}, mean "
            f"{mean:.4g}."
        )
    if len(arrays[0]) < _FEW_SAMPLES:
        console.warn(f"only {counted(len(arrays[0]), 'calibration sample')}: int8 ranges may be too narrow")


def _spread(values: Array, limit: int) -> Array:
    return values[_spread_indices(len(values), limit)]


def _evenly(paths: Sequence[Path], limit: int) -> list[Path]:
    return [paths[index] for index in _spread_indices(len(paths), limit)]


def _spread_indices(n: int, limit: int) -> npt.NDArray[np.int64]:
    # Data are often sorted by class, so the first few would not do.
    return np.linspace(0, n - 1, min(n, limit)).round().astype(np.int64)
