"""tinyml evaluate for the sine: both flatbuffers on points that were not used for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import on_device
from tinyml_cli.evaluation.answers import Answers, answer_inputs
from tinyml_cli.evaluation.frame import Evaluation, Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.parity import device_outputs
from tinyml_cli.outcomes.curves import CurveError, CurveOnDevice, CurvePoint, EvaluatedCurve
from tinyml_cli.pages import terminal
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, RECIPE, Run
from tinyml_cli.tasks.hello import report
from tinyml_cli.tasks.hello.curve import TOLERANCE, CurveModel, drawn
from tinyml_cli.wording import counted

PICTURE = "report/curve.png"
_Z_95 = 1.96

Points = tuple[NDArray[np.float32], NDArray[np.float32]]
"""x in ascending order and the sine of it, float32 [n] each."""


class CurveEvaluation(Evaluation[Points, Answers, EvaluatedCurve]):
    """By the distance from the sine itself, without the noise of the training points."""

    only_in_metrics = ("points",)

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        super().__init__(run, data_dir, split, options)
        if data_dir is not None:
            raise TinymlError("A sine has no data", str(data_dir), "Omit --data: the points are calculated.")
        if options.part == "audio":
            raise TinymlError("A sine has no audio to play", "--path audio", "Omit it.")
        self._float = run.require(self.manifest, MODEL_FLOAT32).read_bytes()
        self.model = CurveModel(run.require(self.manifest, MODEL_INT8).read_bytes())

    def load(self) -> Points:
        x, y = drawn(recipes.load_as(self.run.file(RECIPE), HelloRecipe), "test")
        order = np.argsort(x)
        return x[order], y[order]

    def ask(self, items: Points) -> Answers:
        x = items[0]
        return answer_inputs(self._float, self.model, x[:, None], self.model.inputs(x))

    def measure(self, items: Points, found: Answers) -> EvaluatedCurve:
        x, truth = items
        exact, int8 = found.float32[:, 0].astype(np.float64), found.scores[:, 0]
        rows = zip(x.tolist(), truth.tolist(), exact.tolist(), int8.tolist(), strict=True)
        float_error, int8_error = error_of(exact, truth), error_of(int8, truth)
        board = self._on_device(x)
        return EvaluatedCurve(
            run=str(self.run.path),
            data=None,
            left_out={},
            n=len(x),
            note=f"{counted(len(x), 'point')} of the sine that training did not see",
            float32=float_error,
            int8=int8_error,
            tolerance=TOLERANCE,
            tflm=found.tflm,
            points=[CurvePoint(x=a, truth=b, float32=c, int8=d) for a, b, c, d in rows],
            device=board,
            verdict=_verdict(int8_error, float_error, board, len(x)),
        )

    def _on_device(self, x: NDArray[np.float32]) -> CurveOnDevice | None:
        target = self.options.target
        if target is None:
            return None
        inputs = self.model.inputs(x[:: max(1, len(x) // self.options.limit)][: self.options.limit])
        expected, reference = self.model.reference(inputs)
        with on_device.opened(self.run, target) as (link, ready):
            answers = device_outputs(link, inputs)
        return CurveOnDevice.extending(
            on_device.describe(ready, target),
            path="model",
            n=len(inputs),
            mismatches=int((answers != expected).sum()),
            reference=reference,
        )

    def draw(self, outcome: EvaluatedCurve, items: Points, found: Answers) -> Sequence[str]:
        report.curve_png(self.run.file(PICTURE), outcome, self.run.path.resolve().name)
        return (PICTURE,)

    def page(self, outcome: EvaluatedCurve, items: Points) -> str:
        return report.render(self.run.path.resolve().name, outcome, self.run.manifest())

    def show(self, outcome: EvaluatedCurve) -> None:
        rows: list[list[Any]] = [
            [name, f"{of.mean:.4f}", "{:.4f}–{:.4f}".format(*of.mean_ci95), f"{of.largest:.3f}", outcome.n]
            for name, of in (("float32", outcome.float32), ("int8", outcome.int8))
        ]
        console.table(
            "Distance from the sine", ["model", "mean error", "95 % interval", "largest", "n"], rows
        )
        if console.is_terminal:
            points = outcome.points
            drawing = terminal.plot([point.x for point in points], [point.int8 for point in points])
            console.info(f"{drawing}\n{'':10}the int8 model's answers, x from 0 to 2π\n")

    def warning(self, outcome: EvaluatedCurve) -> str:
        if outcome.int8.mean <= outcome.tolerance:
            return ""
        return (
            f"The mean error of the int8 model, {outcome.int8.mean:.3f}, is above {outcome.tolerance}: "
            "this is no sine yet. Train for more epochs: --set training.epochs=80"
        )


def error_of(answers: NDArray[np.float64], truth: NDArray[np.floating[Any]]) -> CurveError:
    """Of answers float64 [n] to a curve [n]; the interval is normal, as the mean's is for so many points."""
    errors = np.abs(answers - truth)
    mean, half = float(errors.mean()), _Z_95 * float(errors.std(ddof=1)) / len(errors) ** 0.5
    variance = float(np.square(truth - truth.mean()).mean())
    return CurveError(
        mean=mean,
        mean_ci95=(max(0.0, mean - half), mean + half),
        largest=float(errors.max()),
        r_squared=1 - float(np.square(errors).mean()) / variance,
    )


def _verdict(int8: CurveError, exact: CurveError, board: CurveOnDevice | None, n: int) -> str:
    same = (
        ""
        if board is None
        else f" On {board.board} ({board.level}): {board.mismatches} of {counted(board.n, 'answer')} differ."
    )
    low, high = int8.mean_ci95
    return (
        f"int8: mean error {int8.mean:.4f} (95 % interval {low:.4f}–{high:.4f}), at most {int8.largest:.3f}; "
        f"{exact.mean:.4f} in floats; n = {counted(n, 'point')}.{same}"
    )
