"""Training examples cut from streams anywhere, after the front end has run on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.tasks.kws.busy_streams import BusyStreams, Span
from tinyml_cli.training.examples import Examples, ExampleSource

STREAM_S = 120

_THREADS = 2
_NO_LABEL = -1
# A word counts where all of it is in the window, but for this much; as unknown up to this share of it.
_OVERHANG_S = 0.06
_UNKNOWN_SHARE = 0.35
_HEARD_S, _UNHEARD_S = 0.12, 0.03
_JITTER_FRAMES = 5

UInt16Array = npt.NDArray[np.uint16]
IntArray = npt.NDArray[np.int64]


class StreamWindows:
    """The feature maps of streams, and the label of the window that begins at each frame."""

    def __init__(
        self,
        streams: BusyStreams,
        count: int,
        labels: Sequence[str],
        settings: AudioFrontendSettings,
        clip_samples: int,
        seed: Sequence[int],
        recorded: Iterable[npt.NDArray[np.int16]] = (),
    ) -> None:
        """Makes the streams.

        Args:
            streams: what is heard.
            count: streams of STREAM_S.
            labels: the model's.
            settings: of the front end.
            clip_samples: of a window.
            seed: fixes which windows an epoch takes.
            recorded: more sound int16 [samples], in which no word is said.
        """
        self.frames = settings.frames(clip_samples)
        self._labels = list(labels)
        self._seed = list(seed)
        made = []

        def make(number: int) -> tuple[UInt16Array, npt.NDArray[np.int8]]:
            stream = streams.make(number, STREAM_S)
            features = extract(stream.audio, settings)
            return features, window_labels(stream.spans, len(features), self._labels, settings, clip_samples)

        with console.progress(count, "Making streams") as bar, ThreadPoolExecutor(_THREADS) as pool:
            for each in pool.map(make, range(count)):
                made.append(each)
                bar.advance(1)
        made += [self._unlabelled(audio, settings) for audio in recorded]
        self.hours = sum(len(features) for features, _ in made) * settings.stride_ms / 3.6e6
        self.features = np.concatenate([features for features, _ in made])
        self.labels = np.concatenate([labels for _, labels in made])
        self._rows = {label: np.flatnonzero(self.labels == index) for index, label in enumerate(self._labels)}
        self._hard: dict[str, IntArray] = {}
        self._hard_share = 0.0
        self._hard_from: int | None = None

    def _unlabelled(
        self, audio: npt.NDArray[np.int16], settings: AudioFrontendSettings
    ) -> tuple[UInt16Array, npt.NDArray[np.int8]]:
        """Features of a sound, all of it unknown: who knows where somebody speaks?"""
        features = extract(audio, settings)
        labels = np.full(len(features), self._labels.index(UNKNOWN), np.int8)
        labels[max(0, len(features) - self.frames + 1) :] = _NO_LABEL
        return features, labels

    def quotas(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Examples of each label, none where no window has it."""
        return {label: wanted.get(label, 0) if len(self._rows[label]) else 0 for label in self._labels}

    def take(self, epoch: int, quotas: Mapping[str, int]) -> Examples:
        """Windows of an epoch, so many of each label, in the order of the labels."""
        rows, labels = [], []
        for index, label in enumerate(self._labels):
            rng = np.random.default_rng([*self._seed, epoch, index])
            count = quotas[label]
            chosen = rng.choice(self._rows[label], count) if count else np.empty(0, np.int64)
            hard = self._hard.get(label, np.empty(0, np.int64))
            if len(hard) and self._hard_from is not None and epoch >= self._hard_from:
                replaced = np.flatnonzero(rng.random(count) < self._hard_share)
                near = rng.choice(hard, len(replaced)) + rng.integers(
                    -_JITTER_FRAMES, _JITTER_FRAMES + 1, len(replaced)
                )
                near = np.clip(near, 0, len(self.labels) - 1)
                right = self.labels[near] == index
                chosen[replaced[right]] = near[right]
            rows.append(chosen)
            labels.append(np.full(count, index, np.int64))
        return Examples(self.windows(np.concatenate(rows)), np.concatenate(labels))

    def windows(self, rows: IntArray) -> UInt16Array:
        """Feature maps uint16 [rows, frames, channels] of the windows that begin at these frames."""
        cut: UInt16Array = self.features[rows[:, None] + np.arange(self.frames)]
        return cut

    def negatives(self, hop: int) -> IntArray:
        """Every `hop`-th frame at whose window no word is said."""
        none = [self._labels.index(label) for label in (SILENCE, UNKNOWN)]
        at = np.arange(0, len(self.labels), hop)
        return at[np.isin(self.labels[at], none)]

    def use_hard(self, rows: IntArray, share: float, epoch: int) -> None:
        """From this epoch on a share of silence and unknown lies around these frames."""
        for label in (SILENCE, UNKNOWN):
            self._hard[label] = rows[self.labels[rows] == self._labels.index(label)]
        self._hard_share, self._hard_from = share, epoch


def window_labels(
    spans: Sequence[Span],
    frames: int,
    labels: Sequence[str],
    settings: AudioFrontendSettings,
    clip_samples: int,
) -> npt.NDArray[np.int8]:
    """The label of the window that begins at each frame, int8 [frames]; -1 where none fits.

    A window has a word's label where all of it is heard, and no more than a little of another. It is unknown
    where other speech is heard, or less than half of a target, and silence where nothing is.
    """
    rate_hz = settings.sample_rate_hz
    starts = np.arange(frames) * settings.stride_samples
    ends = starts + clip_samples
    heard = np.zeros(frames, np.int64)
    unclear = np.zeros(frames, bool)
    complete = np.full(frames, _NO_LABEL, np.int8)
    overhang = round(_OVERHANG_S * rate_hz)
    for span in spans:
        first = max(0, (span.start - clip_samples) // settings.stride_samples)
        last = min(frames, span.end // settings.stride_samples + 1)
        at = slice(first, last)
        inside = np.minimum(ends[at], span.end) - np.maximum(starts[at], span.start)
        heard[at] = np.maximum(heard[at], inside)
        if span.label == labels.index(UNKNOWN):
            continue
        whole = (span.start >= starts[at] - overhang) & (span.end <= ends[at] + overhang)
        part = ~whole & (inside > _UNKNOWN_SHARE * (span.end - span.start))
        unclear[at] |= part
        complete[at] = np.where(whole, span.label, complete[at])
    result = np.full(frames, _NO_LABEL, np.int8)
    result[heard <= _UNHEARD_S * rate_hz] = labels.index(SILENCE)
    result[heard >= _HEARD_S * rate_hz] = labels.index(UNKNOWN)
    result = np.where(complete >= 0, complete, result).astype(np.int8)
    result[unclear] = _NO_LABEL
    result[max(0, frames - settings.frames(clip_samples) + 1) :] = _NO_LABEL
    return result


class WithStreams:
    """The examples of a pool, and windows of streams beside them (training.examples.ExampleSource)."""

    def __init__(
        self,
        pool: ExampleSource,
        windows: StreamWindows,
        quotas: Mapping[str, int],
        teacher: Callable[[UInt16Array], npt.NDArray[np.float32]] | None,
    ) -> None:
        """Keeps both.

        Args:
            pool: variations of clips.
            windows: of streams.
            quotas: windows of each label in an epoch.
            teacher: scores examples.
        """
        self._pool = pool
        self._windows = windows
        self._quotas = windows.quotas(quotas)
        self._teacher = teacher
        self._epoch: int | None = None
        self._examples: Examples | None = None

    @property
    def labels(self) -> IntArray:
        """Of the examples, the same in every epoch."""
        counts = list(self._quotas.values())
        return np.concatenate([self._pool.labels, np.repeat(np.arange(len(counts)), counts)])

    def __len__(self) -> int:
        return len(self._pool) + sum(self._quotas.values())

    def at(self, epoch: int) -> Examples:
        """The examples of an epoch, counted from 0."""
        if self._examples is None or epoch != self._epoch:
            pool, cut = self._pool.at(epoch), self._windows.take(epoch, self._quotas)
            soft = None
            if self._teacher is not None and pool.soft is not None:
                soft = np.concatenate([pool.soft, self._teacher(cut.features)])
            self._examples = Examples(
                np.concatenate([pool.features, cut.features]), np.concatenate([pool.labels, cut.labels]), soft
            )
            self._epoch = epoch
        return self._examples
