"""A line through points, y = w x + b, and its mean squared error: all that two numbers can learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_cli.learn.inputs import Matrix

POINTS = "-2,-5;-1,-2;0,1;1,4;2,7;3,10"
"""y = 3x + 1, unless a lesson is given others."""


@dataclass(frozen=True)
class LineFit:
    """Points float64 [n, 2] that a line is to go through."""

    points: Matrix

    @property
    def x(self) -> Matrix:
        """float64 [n]."""
        return self.points[:, 0]

    @property
    def y(self) -> Matrix:
        """float64 [n]."""
        return self.points[:, 1]

    def loss(self, w: Matrix | float, b: Matrix | float) -> Matrix:
        """Mean squared error of lines, in the shape of w and b."""
        w, b = np.asarray(w, np.float64), np.asarray(b, np.float64)
        errors = w[..., None] * self.x + b[..., None] - self.y
        return np.asarray(np.mean(np.square(errors), axis=-1))

    def gradient(self, w: float, b: float) -> tuple[float, float]:
        """The slopes of the loss along w and along b: 2 mean(error x) and 2 mean(error)."""
        errors = w * self.x + b - self.y
        return float(2 * np.mean(errors * self.x)), float(2 * np.mean(errors))

    def best(self) -> tuple[float, float]:
        """The w and b of the smallest loss: least squares."""
        mean_x, mean_y = self.x.mean(), self.y.mean()
        w = np.sum((self.x - mean_x) * (self.y - mean_y)) / np.sum(np.square(self.x - mean_x))
        return float(w), float(mean_y - w * mean_x)

    def largest_rate(self) -> float:
        """The learning rate above which gradient descent diverges.

        Each step multiplies the distance from the best by 1 - rate x curvature along each axis of the loss's
        ellipse; beyond 2 / the largest curvature this grows (Goodfellow et al., "Deep Learning", 4.3).
        """
        inputs = np.stack([self.x, np.ones_like(self.x)])
        hessian = 2 * inputs @ inputs.T / len(self.x)
        return float(2 / np.linalg.eigvalsh(hessian)[-1])
