"""`tinyml learn filter`: a kernel slides over a picture, as in the first layer of a convolutional network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.documents import shown
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.features.image import luma
from tinyml_cli.images.image_file import UnreadableImageError, decode, read_bytes
from tinyml_cli.images.procedural_images import ProceduralImages, people
from tinyml_cli.learn import inputs
from tinyml_cli.learn.lesson import Lesson, number
from tinyml_cli.outcomes.lessons import FilteredPicture, FilterExample, Filtering
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

KERNELS = {
    "identity": "0,0,0;0,1,0;0,0,0",
    "blur": "1,1,1;1,1,1;1,1,1/9",
    "gauss": "1,2,1;2,4,2;1,2,1/16",
    "sharpen": "0,-1,0;-1,5,-1;0,-1,0",
    "sobel-x": "-1,0,1;-2,0,2;-1,0,1",
    "sobel-y": "-1,-2,-1;0,0,0;1,2,1",
    "laplace": "0,1,0;1,-4,1;0,1,0",
    "emboss": "-2,-1,0;-1,1,1;0,1,2",
}
"""Name -> rows of the kernel, and after a slash what its sum is divided by."""
_SIDES = (3, 5, 7)
_MOST_KERNELS = 6
_MOST_TERMS = 9
_OWN_SIDE = 96
_DPI = 110

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PictureKernel:
    """A kernel.

    Attributes:
        name: as it was given.
        weights: float64 [side, side].
    """

    name: str
    weights: inputs.Matrix


def read_kernel(text: str, where: str = "--kernel") -> PictureKernel:
    """A kernel by its name, or by its rows, such as "1,2,1;2,4,2;1,2,1/16".

    Raises:
        TinymlError: neither, or not square with 3, 5 or 7 rows, or divided by zero.
    """
    if re.fullmatch(r"[A-Za-z_][\w -]*", text) and text not in KERNELS:
        hint = did_you_mean(text, KERNELS)
        raise TinymlError(
            f"There is no kernel `{shown(text, 40)}`",
            where,
            f"{hint}Choose from: {', '.join(KERNELS)}; or give rows, as in '0,1,0;1,-4,1;0,1,0'.",
        )
    rows, slash, divisor = KERNELS.get(text, text).partition("/")
    weights = inputs.matrix(rows, where)
    if weights.shape[0] != weights.shape[1] or len(weights) not in _SIDES:
        raise TinymlError(
            f"A kernel has 3 x 3, 5 x 5 or 7 x 7 numbers, not {weights.shape[0]} x {weights.shape[1]}",
            where,
            "Give rows, as in '0,1,0;1,-4,1;0,1,0'.",
        )
    by = inputs.matrix(divisor, where) if slash else np.ones((1, 1))
    if by.size != 1 or by[0, 0] == 0 or np.abs(weights).max() > inputs.LARGEST * abs(by[0, 0]):
        raise TinymlError(
            f"A kernel cannot be divided by `{shown(divisor, 40)}`", where, "Give a number further from 0."
        )
    return PictureKernel(text, weights / by[0, 0])


def filtered(pixels: NDArray[np.uint8], weights: inputs.Matrix) -> Float32:
    """What the kernel makes of a grey picture [rows, columns], unclipped and smaller by its side less one.

    The kernel is not turned round, so this is a cross-correlation: networks call it a convolution.
    """
    side = len(weights)
    rows, columns = pixels.shape[0] - side + 1, pixels.shape[1] - side + 1
    total = np.zeros((rows, columns), np.float32)
    for (row, column), weight in np.ndenumerate(weights):
        if weight:
            total += np.float32(weight) * pixels[row : row + rows, column : column + columns]
    return total


def pooled(values: Float32, side: int, pooling: str) -> Float32:
    """The "max" or "mean" of each block of side x side; rows and columns that fill no block are left out."""
    rows, columns = (length // side for length in values.shape)
    blocks = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return np.asarray(blocks.max(axis=(1, 3)) if pooling == "max" else blocks.mean(axis=(1, 3)), np.float32)


def learn_filter(
    image: Path | None, kernels: Sequence[str], pool: int, pooling: str, absolute: bool, out: Path
) -> Lesson:
    """Filters a picture by kernels, each on its own, and pools what comes out.

    Args:
        image: a picture of any format; None: a drawing.
        kernels: names or rows.
        pool: side of the blocks; 1 for none.
        pooling: "max" or "mean".
        absolute: whether signs are dropped, so that edges of both directions show.
        out: the picture.

    Raises:
        TinymlError: a kernel is none, the picture cannot be read or is too small, or the result cannot be
            written.
    """
    if len(kernels) > _MOST_KERNELS:
        raise TinymlError(
            f"There are too many kernels ({len(kernels)})", "--kernel", f"Give {_MOST_KERNELS} at most."
        )
    chosen = [read_kernel(text) for text in kernels]
    pixels, note = _grey(image, max(len(each.weights) for each in chosen) - 1 + pool, out)
    results, steps = [], []
    for kernel in chosen:
        exact = filtered(pixels, kernel.weights)
        exact = np.abs(exact) if absolute else exact
        clipped = np.clip(exact, 0, 255)
        small = pooled(clipped, pool, pooling)
        steps.append((kernel.name, clipped, small))
        results.append(_outcome(kernel, pixels, exact, small))
    outcome = Filtering(
        image=str(image) if image else None,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        pool=pool,
        pooling=pooling,
        absolute=absolute,
        results=results,
        picture=str(out),
    )
    _draw(out, pixels, steps, pool, pooling)
    drawings = [f"{name}\n{terminal.shades(np.rint(small).astype(np.uint8))}" for name, _, small in steps]
    return Lesson(outcome, f"{note}{_sentences(outcome)}", "\n\n".join(drawings))


def _grey(image: Path | None, least: int, out: Path) -> tuple[NDArray[np.uint8], str]:
    """Pixels [rows, columns], and what was understood where the file leaves it open."""
    if image is None:
        return ProceduralImages(2, [people(0), people(1)], _OWN_SIDE, 1, 0).rows(np.array([1]))[0, ..., 0], ""
    checks.input_file(image, "IMAGE")
    if out.exists() and image.samefile(out):
        raise TinymlError(f"`{image.name}` would be overwritten by the result", "--out", "Give another name.")
    try:
        found = decode(read_bytes(image), least)
    except UnreadableImageError as error:
        raise TinymlError(
            f"`{image.name}` cannot be filtered: {error}", "IMAGE", "Give a photograph or a drawing."
        ) from error
    grey = luma(found.pixels) if found.pixels.shape[2] == 3 else found.pixels
    return grey[..., 0], f"{found.note}\n" if found.note else ""


def _outcome(
    kernel: PictureKernel, pixels: NDArray[np.uint8], exact: Float32, small: Float32
) -> FilteredPicture:
    row, column = (int(at) for at in np.unravel_index(int(np.abs(exact).argmax()), exact.shape))
    side = len(kernel.weights)
    under = pixels[row : row + side, column : column + side]
    return FilteredPicture(
        kernel=kernel.name,
        weights=kernel.weights.tolist(),
        rows=exact.shape[0],
        columns=exact.shape[1],
        pooled_rows=small.shape[0],
        pooled_columns=small.shape[1],
        multiplications=exact.size * side * side,
        below_0=float(np.mean(exact < 0)),
        above_255=float(np.mean(exact > 255)),
        strongest=FilterExample(
            row=row, column=column, pixels=under.tolist(), value=float(np.sum(under * kernel.weights))
        ),
    )


def _sentences(found: Filtering) -> str:
    lines = [f"The picture has {found.rows} x {found.columns} pixels."]
    for each in found.results:
        strongest = each.strongest
        terms = [
            f"{number(weight)} × {pixel}"
            for weights, pixels in zip(each.weights, strongest.pixels, strict=True)
            for weight, pixel in zip(weights, pixels, strict=True)
            if weight
        ]
        lines.append(
            f"{each.kernel}: {each.rows} x {each.columns} values by {each.multiplications:,} "
            f"multiplications, {each.pooled_rows} x {each.pooled_columns} after pooling; "
            f"{each.below_0:.1%} are below 0 and {each.above_255:.1%} above 255, where a picture ends.\n"
            f"  Strongest at row {strongest.row}, column {strongest.column}: "
            f"{_sum(terms)} = {number(strongest.value)}"
        )
    return "\n".join([*lines, f"Picture: {found.picture}"])


def _sum(terms: Sequence[str]) -> str:
    if len(terms) > _MOST_TERMS:
        return f"the sum of {counted(len(terms), 'product')}"
    return " + ".join(terms).replace("+ -", "- ") or "0"


def _draw(
    path: Path,
    pixels: NDArray[np.uint8],
    steps: Sequence[tuple[str, Float32, Float32]],
    pool: int,
    pooling: str,
) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(3 * (len(steps) + 1), 6)
    panels: list[tuple[int, str, NDArray[Any]]] = [(1, "picture", pixels)]
    for n, (name, clipped, small) in enumerate(steps, 2):
        panels += [(n, name, clipped), (n + len(steps) + 1, f"{pooling} of {pool} x {pool}", small)]
    for place, title, values in panels:
        axes: Any = figure.add_subplot(2, len(steps) + 1, place)
        axes.imshow(values, cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{title}\n{values.shape[0]} x {values.shape[1]}", fontsize=9)
        axes.set_axis_off()
    pictures.write(path, figure, _DPI)
