"""Draws the result of `tinyml explain`. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.explanations import ExplainedClip
from tinyml_cli.pages import pictures
from tinyml_cli.tasks.kws.recognizer import FIRST_WORD
from tinyml_cli.tasks.kws.replay import TAIL_MS

if TYPE_CHECKING:
    from tinyml_cli.tasks.kws.hearing import Hearing

_DPI = 150
_INK, _FAINT = "#1b2a41", "#8a95a3"
# Okabe and Ito's palette, safe for colour-blind readers.
_WORD_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#6b4fbb", "#7a5230")
_REST_STYLES = ("-", "--")


def draw(path: Path, hearing: Hearing, manifest: Manifest, outcome: ExplainedClip) -> None:
    """Writes a PNG: waveform, features and posteriors stacked on one time axis.

    Raises:
        TinymlError: the file cannot be written.
    """
    seconds = len(hearing.audio) / hearing.sample_rate_hz
    width = float(np.clip(3 + 2.2 * seconds, 8.5, 24))
    figure = pictures.new(width, 7.6)
    wave, features, scores = figure.subplots(3, 1, sharex=True, height_ratios=[1, 1.4, 2])
    _draw_wave(wave, hearing)
    _draw_features(features, hearing, manifest)
    _draw_scores(scores, hearing, manifest, outcome)
    figure.suptitle(f"{Path(outcome.clip).name}\n{outcome.why}", x=0.01, ha="left", fontsize=11, color=_INK)
    pictures.write(path, figure, _DPI)


def _draw_wave(axes: Any, hearing: Hearing) -> None:
    time_s = (np.arange(len(hearing.audio)) / hearing.sample_rate_hz) + hearing.starts_ms / 1000
    start_s, end_s = float(time_s[0]), float(time_s[-1])
    axes.plot(time_s, hearing.audio / 32768, color=_INK, linewidth=0.5)
    if start_s < 0:
        for start, end in ((start_s, 0.0), (end_s - TAIL_MS / 1000, end_s)):
            axes.axvspan(start, end, color="#eef1f4", linewidth=0)
        axes.text(
            start_s,
            1.0,
            " added quiet",
            va="top",
            color=_FAINT,
            fontsize=8,
            transform=axes.get_xaxis_transform(),
        )
    axes.set_xlim(start_s, end_s)
    axes.set_ylabel("Sound")
    _clean(axes)


def _draw_features(axes: Any, hearing: Hearing, manifest: Manifest) -> None:
    settings = manifest.features
    assert settings is not None
    frames, channels = hearing.features.shape
    start_s = hearing.starts_ms / 1000
    end_s = start_s + (frames * settings.stride_samples) / hearing.sample_rate_hz
    axes.imshow(
        hearing.features.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        interpolation="nearest",
        extent=(start_s, end_s, 0, channels),
    )
    axes.set_ylabel("Feature channel")


def _draw_scores(axes: Any, hearing: Hearing, manifest: Manifest, outcome: ExplainedClip) -> None:
    """Thin lines are the model's scores, thick ones the averages that decide."""
    time_s = np.array([entry.t_ms for entry in outcome.inferences]) / 1000
    averages = np.array([entry.averages for entry in outcome.inferences])
    for index, label in enumerate(manifest.labels):
        word = index >= FIRST_WORD
        colour = _WORD_COLOURS[(index - FIRST_WORD) % len(_WORD_COLOURS)] if word else _FAINT
        style = "-" if word else _REST_STYLES[index]
        axes.plot(time_s, hearing.scores[:, index], color=colour, linestyle=style, linewidth=0.9, alpha=0.55)
        axes.plot(time_s, averages[:, index], color=colour, linestyle=style, linewidth=2.4, label=label)
    threshold = manifest.recognizer.threshold
    axes.axhline(threshold, color="#c0392b", linewidth=1.2, linestyle=":")
    axes.text(
        1.0,
        threshold,
        f"threshold {threshold:g} ",
        color="#c0392b",
        va="bottom",
        ha="right",
        fontsize=8,
        transform=axes.get_yaxis_transform(),
    )
    for detection in outcome.detections:
        at = detection.t_ms / 1000
        axes.axvline(at, color=_INK, linewidth=1)
        axes.text(at, 1.04, f" heard {detection.label} ({detection.score:.0%})", color=_INK, fontsize=9)
    axes.set_ylim(-0.02, 1.14)
    axes.set_ylabel("Score (thin), average (thick)")
    axes.set_xlabel(
        f"Time in the recording (s); a score covers the last {manifest.clip_ms / 1000:g} s, an average "
        f"another {manifest.recognizer.average_window_ms / 1000:g} s"
    )
    axes.legend(loc="upper left", frameon=False, fontsize=8, ncols=len(manifest.labels))
    _clean(axes)


def _clean(axes: Any) -> None:
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.grid(axis="x", color="#e3e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
