"""Keyword spotting under attack: clips in a stream, judged by the recogniser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack.surface import NOTHING, IntArray, LabelSurface
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.clips import SILENCE
from tinyml_cli.data.pcm import fit_length
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.embed import wav_uri
from tinyml_cli.evaluation.on_device import describe, opened
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.outcomes.evaluations import OnDevice
from tinyml_cli.pages.augmented import Look
from tinyml_cli.tasks.kws.evaluate import ClipEvaluation
from tinyml_cli.tasks.kws.recognizer import FIRST_WORD, RecognizerConfig
from tinyml_cli.tasks.kws.replay import LEAD_IN_MS, replay_file, with_quiet
from tinyml_cli.tasks.kws.stream_recognizer import detections, smooth
from tinyml_cli.tasks.kws.stream_scores import features_of

_MOST_LOOKS = 7


class AttackedClips(LabelSurface):
    """Clips int16 [n, samples], each between a second of quiet.

    A look is the window of an inference in which most of the clip is heard: of those that the board averages,
    seven at most.
    """

    silent = tuple(range(FIRST_WORD))
    suffix = ".wav"
    look: Look = "features"
    static_rms = 300.0
    plays = True

    def __init__(self, evaluation: ClipEvaluation) -> None:
        found = evaluation.load()
        # Silence hides nothing, and has hardly any energy to measure an attack by.
        rows = np.flatnonzero([evaluation.labels[label] != SILENCE for label in found.labels])
        super().__init__(evaluation, found.audio[rows], found.labels[rows])
        manifest = evaluation.manifest
        self._manifest = manifest
        self._settings = features_of(manifest)
        self.sample_rate_hz = self._settings.sample_rate_hz
        self._hop = manifest.recognizer.inference_stride_frames
        self._samples = self.items.shape[1]
        self._frames = self._settings.frames(self._samples)

    def signal(self, items: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The samples."""
        return items.astype(np.float64)

    @property
    def _starts(self) -> npt.NDArray[np.int64]:
        """The first frame of each look, from the start of the quiet."""
        stride_ms, average_ms = self._settings.stride_ms, self._manifest.recognizer.average_window_ms
        around = max(1, average_ms // (2 * stride_ms * self._hop))
        middle = round(LEAD_IN_MS / stride_ms / self._hop)
        step = -(-around // (_MOST_LOOKS // 2))
        away = np.arange(-(around // step), around // step + 1) * step
        return np.maximum(middle + away, 0) * self._hop

    def _streams(self, items: npt.NDArray[Any], frames: int | None = None) -> npt.NDArray[np.uint16]:
        """Features of the clips and the quiet around them, uint16 [n, frames, channels]; all by default."""
        settings = self._settings
        streams = np.stack([with_quiet(item, settings.sample_rate_hz) for item in items])
        samples = None if frames is None else (frames - 1) * settings.stride_samples + settings.window_samples
        return extract_batch(np.ascontiguousarray(streams[:, :samples]), settings)

    def features(self, items: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        starts = self._starts
        streams = self._streams(items, int(starts[-1]) + self._frames)
        return streams[:, starts[:, None] + np.arange(self._frames)]

    def stand_in(self) -> Any:
        from tinyml_cli.attack.surrogate import sound

        quiet = with_quiet(np.zeros(0, np.int16), self._settings.sample_rate_hz)
        lead_in = LEAD_IN_MS * self._settings.sample_rate_hz // 1000
        starts = self._starts.tolist()
        return sound(self._settings, quiet[:lead_in], quiet[lead_in:], starts, self._frames)

    def reported(self, items: npt.NDArray[Any]) -> IntArray:
        """The word with the highest score among those that the recogniser reports."""
        model, settings = self.evaluation.model, self._settings
        config = RecognizerConfig.of(self._manifest.recognizer, self.names, model.output)
        streams = self._streams(items)
        starts = np.arange(0, streams.shape[1] - self._frames + 1, self._hop)
        ends = settings.window_samples + (starts + self._frames - 1) * settings.stride_samples
        times_ms = ends * 1000 // settings.sample_rate_hz
        found = []
        for stream in streams:
            windows = model.inputs(stream[starts[:, None] + np.arange(self._frames)])
            words = detections(smooth(times_ms, model.run(windows), config), config)
            best = max(words, key=lambda word: word.score_permille, default=None)
            found.append(NOTHING if best is None else best.label)
        return np.array(found, np.int64)

    def on_board(
        self, target: BuildTarget, items: npt.NDArray[Any], advance: Any
    ) -> tuple[OnDevice, IntArray]:
        found = []
        with opened(self.evaluation.run, target) as (link, ready):
            for item in items:
                words = replay_file(link, item, ready.sample_rate_hz)
                best = max(words, key=lambda word: word.score, default=None)
                found.append(NOTHING if best is None else self.names.index(best.label))
                advance()
            return describe(ready, target), np.array(found, np.int64)

    def read(self, path: Path) -> npt.NDArray[np.int16]:
        """A recording; its loudest second where it is longer."""
        try:
            audio = read_audio(path, self._settings.sample_rate_hz)
        except (UnreadableAudioError, OSError) as error:
            advice = "Give --item a WAV, FLAC or OGG file."
            raise TinymlError(f"Cannot read the recording: {error}", str(path), advice) from error
        if not audio.any():
            raise TinymlError("The recording is silent", str(path), "Give --item another one.")
        return fit_length(audio, self._samples)[None]

    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """A mono WAV, 16 bits."""
        from tinyml_cli.data.clip_files import wav_bytes
        from tinyml_cli.files import write_atomic

        write_atomic(path, wav_bytes(item, self._settings.sample_rate_hz))

    def sound(self, item: npt.NDArray[Any]) -> str:
        return wav_uri(item, self._settings.sample_rate_hz)
