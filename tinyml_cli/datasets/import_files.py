"""Imports recordings of other tools into the folder layout for training."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES, UnreadableAudioError, read_audio
from tinyml_cli.data.clip_files import save_clip
from tinyml_cli.data.folder import BACKGROUND_FOLDER, SILENCE_FOLDER
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.resample import resample
from tinyml_cli.data.series import windows
from tinyml_cli.data.series.acquisition import AUDIO
from tinyml_cli.data.series.read import SUFFIXES, Series
from tinyml_cli.data.series.reading import Reading, summary
from tinyml_cli.data.series.sources import files_in, unused
from tinyml_cli.data.speakers import speaker_id
from tinyml_cli.data.trim import cut_word
from tinyml_cli.datasets import import_series
from tinyml_cli.datasets.import_labels import LISTS, Labels, Origin
from tinyml_cli.datasets.survey import digest
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import writing_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import Imported, ImportedLabel, SkippedFile
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.wording import counted

SOUND_SUFFIXES = AUDIO_SUFFIXES

_BACKGROUND_LABELS = (
    "noise",
    "background",
    "background noise",
    "silence",
    "_noise",
    "_silence_",
    "_background_noise_",
)
_SHOWN_SKIPPED = 20


@dataclass
class _Import:
    """One run of `import_folder`."""

    source: Path
    out: Path
    sample_rate_hz: int
    clip_samples: int
    speaker: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    speakers: set[str] = field(default_factory=set)
    guessed_speakers: int = 0
    skipped: list[SkippedFile] = field(default_factory=list)
    known: dict[Path, set[str]] = field(default_factory=dict)
    written: set[Path] = field(default_factory=set)
    readings: list[Reading] = field(default_factory=list)

    def add(self, path: Path, name: str, origin: Origin, series: Series | None = None) -> None:
        """Brings in one sound, or the series that a file holds, or notes why not."""
        reason = origin.skip or self._add(path, origin, series)
        if reason:
            self.skipped.append(SkippedFile(file=name, reason=reason))

    def _add(self, path: Path, origin: Origin, series: Series | None) -> str:
        label = origin.label
        if not label or label.startswith(".") or set(label) & checks.NOT_IN_NAMES:
            return f"`{label}` cannot be the name of a folder"
        if series is not None and series.channels != (AUDIO,):
            reason = import_series.write(series, self.source, self.out / label, self.written)
            if not reason:
                self.counts[label, "motion"] += 1
                self.readings.append(series.reading)
            return reason
        if series is not None:
            rate_hz = series.rate_hz or self.sample_rate_hz
            samples = series.stretches[0].values[:, 0]
            sound = resample(samples / 32768.0, rate_hz, self.sample_rate_hz)
            return self._add_sound(path, origin, to_int16(sound))
        try:
            return self._add_sound(path, origin, read_audio(path, self.sample_rate_hz))
        except UnreadableAudioError as error:
            return str(error)

    def _add_sound(self, path: Path, origin: Origin, audio: NDArray[np.int16]) -> str:
        if origin.label.lower() in _BACKGROUND_LABELS:
            long = len(audio) > self.clip_samples
            return self._save(path, BACKGROUND_FOLDER if long else SILENCE_FOLDER, origin, audio)
        if len(audio) > self.clip_samples:
            cut = cut_word(audio, self.sample_rate_hz, self.clip_samples)
            # Words that touch an end are kept: these tools cut their recordings short.
            if any("no word" in fault for fault in cut.faults):
                return cut.faults[0]
            audio = cut.audio
        return self._save(path, origin.label, origin, audio)

    def _save(self, path: Path, folder: str, origin: Origin, audio: NDArray[np.int16]) -> str:
        content = digest(audio)
        if not content:
            return "it is silent throughout"
        target = self.out / folder
        if target not in self.known:
            self.known[target] = set(_digests(target, self.sample_rate_hz))
        if content in self.known[target]:
            return "the same audio was already imported"
        self.known[target].add(content)
        speaker = self.speaker or origin.speaker
        if not speaker:
            self.guessed_speakers += 1
            speaker = speaker_id(path.name.rsplit(".", 1)[0][-60:].replace("_nohash_", "-"), path.name)
        save_clip(target, speaker, audio, self.sample_rate_hz)
        self.counts[folder, "sound"] += 1
        self.speakers.add(speaker)
        return ""


def import_folder(
    source: Path,
    out: Path,
    sample_rate_hz: int,
    clip_samples: int,
    speaker: str = "",
    options: SeriesRecipe | None = None,
) -> Imported:
    """Brings every recording of a folder into `out/LABEL/`; nothing that is there is changed.

    Sound becomes 16-bit mono WAV; of sound longer than a clip the loudest word is kept. Motion and
    other series become CSV in g and degrees a second.

    Args:
        source: a folder of another tool's.
        out: where to; may hold earlier imports.
        sample_rate_hz: of the clips.
        clip_samples: length of a clip.
        speaker: who speaks in all of them; empty: what the files say.
        options: what the user says about files of series.

    Raises:
        TinymlError: no such folder, nothing in it that can be brought in, series of which two readings are
            possible, or `out` cannot be written, or another process writes to it.
    """
    if not source.is_dir():
        raise TinymlError("The folder does not exist", str(source), "Give the folder with the recordings.")
    work = _Import(source, out, sample_rate_hz, clip_samples, speaker_id(speaker) if speaker else "")
    with writing_folder(out):
        return _import_all(work, options or SeriesRecipe())


def _import_all(work: _Import, options: SeriesRecipe) -> Imported:
    source, inside = work.source, work.out.resolve()
    files = [p for p in sorted(source.rglob("*")) if p.is_file() and not p.name.startswith(".")]
    files = [p for p in files if p.name not in LISTS and inside not in p.resolve().parents]
    labels = Labels(source)
    suffixes = (*SUFFIXES, *windows.SUFFIXES)
    tables = files_in(source, suffixes)
    tables = [path for path in tables if path in set(files)]
    series, reasons = import_series.read_all(tables, options)
    read = {each.path: each for each in series}
    rest = unused(source, [each.source for each in series], reasons, suffixes)
    why = {entry.path: entry.reason for entry in rest}
    with console.progress(len(files), "Importing") as progress:
        for path in files:
            name = path.relative_to(source).as_posix()
            if path in read:
                origin = import_series.origin_of(read[path].source, source, labels)
                work.add(path, name, origin, read[path])
            elif path.suffix.lower() in SOUND_SUFFIXES:
                work.add(path, name, labels.of(path))
            elif path in why:
                work.skipped.append(SkippedFile(file=name, reason=why[path]))
            progress.advance(1, path.parent.name)
    if not work.counts and not any("already" in each.reason for each in work.skipped):
        nothing = SkippedFile(file=str(source), reason="the folder is empty")
        first = next(iter(work.skipped), nothing)
        raise TinymlError(
            f"Nothing was imported: {first.reason}", first.file, "See `tinyml data import --help`."
        )
    return _outcome(work)


def show(outcome: Imported) -> None:
    """The tables for people."""
    rows = [(each.label, each.kind, each.files) for each in outcome.labels]
    console.table(f"Imported into {outcome.folder}", ("label", "kind", "files"), rows)
    if outcome.reading:
        console.info(f"Read as {outcome.reading}")
    skipped = outcome.skipped
    if skipped:
        shown = [(each.file, each.reason) for each in skipped[:_SHOWN_SKIPPED]]
        more = len(skipped) - len(shown)
        title = f"Skipped {counted(len(skipped), 'file')}" + (f" ({more} more: --json)" if more else "")
        console.table(title, ("file", "why"), shown)
    if outcome.guessed_speakers:
        console.warn(
            f"{counted(outcome.guessed_speakers, 'recording')} without a speaker's name; each counts "
            "as a separate speaker, so scores may be too good. Give --speaker NAME if one person made "
            "them all."
        )


def text(outcome: Imported) -> str:
    """The outcome in a line."""
    check = next_step("data", "check", Path(outcome.folder))
    people = f" of {counted(outcome.speakers, 'speaker')}" if outcome.speakers else ""
    return f"{counted(outcome.n, 'recording')}{people}; check them: {check}"


def _outcome(work: _Import) -> Imported:
    return Imported(
        source=str(work.source),
        folder=str(work.out),
        n=work.counts.total(),
        speakers=len(work.speakers),
        labels=[
            ImportedLabel(label=label, kind=kind, files=count)
            for (label, kind), count in sorted(work.counts.items())
        ],
        skipped=work.skipped,
        guessed_speakers=work.guessed_speakers,
        reading=summary(work.readings) if work.readings else None,
    )


def _digests(folder: Path, sample_rate_hz: int) -> list[str]:
    """Fingerprints of the sounds in a folder."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix.lower() in AUDIO_SUFFIXES:
            with contextlib.suppress(UnreadableAudioError):
                found.append(digest(read_audio(path, sample_rate_hz)))
    return found
