"""Accuracy in background noise: the same clips in a stream at decreasing signal-to-noise ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tinyml_cli.data import noise
from tinyml_cli.data.clips import SILENCE
from tinyml_cli.outcomes.evaluations import Noise, NoisePoint
from tinyml_cli.statistics.metrics import Classification

SNR_DB = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)
MAX_CLIPS = 400

_SEED = 1949
_FRAME_SAMPLES = 480
_MOST_REPEATS = 4
# Frames this far below the loudest one contain no speech.
_SPEECH_RANGE_DB = 30.0

Int16Array = npt.NDArray[np.int16]
FloatArray = npt.NDArray[np.float64]
Predict = Callable[[Int16Array], npt.NDArray[np.int64]]


def speech_rms(audio: Int16Array) -> FloatArray:
    """Level of the speech in each clip int16 [n, samples]: RMS of the 480-sample frames within 30 dB of the
    loudest one, so that pauses around a short word do not count; float64 [n]."""
    whole = audio.shape[1] // _FRAME_SAMPLES * _FRAME_SAMPLES
    frames = audio[:, :whole].astype(np.float64).reshape(len(audio), -1, _FRAME_SAMPLES)
    power = np.square(frames).mean(axis=2)
    heard = power >= power.max(axis=1, keepdims=True) * 10 ** (-_SPEECH_RANGE_DB / 10)
    level: FloatArray = np.sqrt((power * heard).sum(axis=1) / heard.sum(axis=1))
    return level


def mix(audio: Int16Array, beds: npt.NDArray[np.float32], levels: FloatArray, snr_db: float) -> Int16Array:
    """Adds noise to clips; a clip that would overflow is scaled down together with its noise.

    Args:
        audio: int16 [n, samples].
        beds: float32 [n, samples], RMS 1 per row.
        levels: float64 [n], reference of the ratio.
        snr_db: 20 log10(levels / RMS of the noise).
    """
    scale = (levels * 10 ** (-snr_db / 20))[:, None]
    mixed = audio.astype(np.float64) + beds * scale
    peak = np.abs(mixed).max(axis=1, keepdims=True)
    mixed *= np.minimum(1.0, 32767 / np.maximum(peak, 1.0))
    rounded: Int16Array = np.rint(mixed).astype(np.int16)
    return rounded


def beds(recordings: Sequence[Int16Array], n: int, samples: int) -> npt.NDArray[np.float32]:
    """Noise float32 [n, samples], RMS 1: pieces of the usable recordings in turn, else generated."""
    rng = np.random.default_rng(_SEED)
    usable = [np.resize(each, max(len(each), samples)) for each in _usable(recordings, samples)]
    if not usable:
        return noise.coloured(n, samples, rng)
    pieces = np.empty((n, samples), np.float32)
    for row in range(n):
        source = usable[row % len(usable)]
        start = int(rng.integers(len(source) - samples + 1))
        pieces[row] = source[start : start + samples]
    return noise.unit_rms(pieces)


def _usable(recordings: Sequence[Int16Array], samples: int) -> list[Int16Array]:
    """Those that hold any sound, and do not have to be repeated too often."""
    return [each for each in recordings if len(each) * _MOST_REPEATS >= samples and each.any()]


def sweep(
    predict: Predict,
    audio: Int16Array,
    samples: int,
    sample_rate_hz: int,
    truth: npt.NDArray[np.int64],
    labels: tuple[str, ...],
    recordings: Sequence[Int16Array] = (),
    advance: Callable[[], object] = lambda: None,
) -> Noise:
    """Evaluates a model at each of SNR_DB and without added noise.

    Silence has no level of its own: it gets the noise level of the median spoken clip.

    Args:
        predict: int16 [n, lead-in + samples] -> class indices int64 [n].
        audio: int16 [n, lead-in + samples]: a front end has heard the noise before a clip begins. At most
            MAX_CLIPS, evenly spread, are used.
        samples: of each clip.
        sample_rate_hz: of the audio.
        truth: int64 [n].
        labels: names of the classes.
        recordings: background, int16 [samples] each.
        advance: called after each level.

    Returns:
        Its points are from clean to loud.
    """
    rows = np.linspace(0, len(audio) - 1, min(MAX_CLIPS, len(audio))).astype(np.int64)
    audio, truth = audio[rows], truth[rows]
    levels = speech_rms(audio[:, -samples:])
    silent = np.array([labels[index] == SILENCE for index in truth], bool)
    if silent.any() and not silent.all():
        levels[silent] = np.median(levels[~silent])
    bed = beds(recordings, len(audio), audio.shape[1])
    points = []
    for snr_db in (None, *SNR_DB):
        heard = audio if snr_db is None else mix(audio, bed, levels, snr_db)
        result = Classification.of(labels, truth, predict(heard))
        points.append(
            NoisePoint(
                snr_db=snr_db, n=result.n, accuracy=result.accuracy, ci95=result.ci95, recall=result.recall
            )
        )
        advance()
    return Noise(
        noise="recordings" if _usable(recordings, audio.shape[1]) else "generated",
        lead_in_s=(audio.shape[1] - samples) / sample_rate_hz,
        n=len(audio),
        points=points,
    )
