"""Wake words or phrases of ours beside microWakeWord's published one: the same audio, the same counting.

python benchmarks/wake_peers.py RUN [RUN …] --data speech_commands/ [--venv DIR] [--seed 1] [--count 150]
                                [--half 0] [--json FILE]

Kokoro's voices, less those that trained any of the runs, say the word (extra `kokoro`, `tinyml data download
kokoro`), each after two seconds of background: faint noise, or recordings at 15 and 5 dB below the word.
False accepts are counted in all clips of the folder, joined with 0.3 s of faint noise, and in its background
recordings. All front ends run through each stream without a reset. With --venv, the peer is installed into
that virtual environment and judged too; it has models of few words.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from kws_streams import ALLOWED_PER_HOUR, CLIP_S, NOISE_DB, Audio, Material, negatives, positives

from tinyml_cli import recipes
from tinyml_cli.data import folder
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.resample import resample
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.speech import kokoro
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws.detection_errors import Target, match
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.recognizer import ReportedWord
from tinyml_cli.tasks.kws.stream_scores import score_stream

PEER = "pymicro-wakeword==2.5.0"
RATE_HZ = 16_000
WORD = 2  # its label, behind silence and unknown
_SPEED, _LEVEL_DBFS = (0.85, 1.15), (-32.0, -18.0)
_SUPPRESSION_MS = 1000  # ours, for both
_THRESHOLDS = np.concatenate([np.arange(0.20, 0.99, 0.01), np.arange(0.99, 1.0, 0.001)])

Streams = list[tuple[Audio, list[Target]]]
# (false accepts, words heard by noise) at a threshold; None: the default operating point
Count = Callable[[float | None], tuple[int, dict[str, int]]]

# Runs in the peer's environment: the probability after each inference, as (milliseconds, probability).
_PEER_PROGRAM = """
import sys, wave
import numpy as np
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model
word, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
heard = MicroWakeWord.from_builtin(Model(word))
print(heard.probability_cutoff)
for number in range(count):
    heard.reset()
    features = MicroWakeWordFeatures()
    with wave.open(f"{folder}/{number}.wav") as file:
        sound = file.readframes(file.getnframes())
    found = []
    for frame, values in enumerate(features.process_streaming(sound)):
        probability = heard.process_streaming_prob(values)
        if not heard._features:
            found.append((30 + 10 * frame, probability))
    np.save(f"{folder}/{number}.npy", np.array(found))
"""


def unheard_voices(runs: Sequence[Run]) -> list[str]:
    """Kokoro's voices that trained none of the runs."""
    heard: set[str] = set()
    for run in runs:
        of = recipes.load_as(run.file(RECIPE), KwsRecipe).synthesis
        if "kokoro" in of.engines:
            heard.update(of.kokoro_voices or kokoro.VOICES)
    return [voice for voice in kokoro.VOICES if voice not in heard]


def spoken(word: str, voices: Sequence[str], seed: int, count: int) -> list[Audio]:
    """The word by voices of Kokoro in turn, at different speeds and levels; int16 [samples] each."""
    rng = np.random.default_rng(seed)
    voices = rng.permutation(voices)
    said = [
        kokoro.KokoroUtterance(word, str(voices[n % len(voices)]), float(rng.uniform(*_SPEED)))
        for n in range(count)
    ]
    clips = []
    for audio in kokoro.say_all(said):
        sound = resample(audio, kokoro.SAMPLE_RATE_HZ, RATE_HZ)
        loud = np.abs(sound).max(initial=0.0) * 0.1
        rms = float(np.sqrt(np.square(sound[np.abs(sound) > loud]).mean()))
        clips.append(to_int16(sound * np.float32(10 ** (rng.uniform(*_LEVEL_DBFS) / 20) / rms)))
    return clips


def ours(run: Run, right: dict[str, Streams], wrong: Streams) -> Count:
    """Counts by the run's own front end, int8 model and recogniser."""
    manifest = run.manifest()
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())

    def trial(streams: Streams) -> OperatingPointTrial:
        heard = [ScoredStream(score_stream(audio, model, manifest), targets) for audio, targets in streams]
        return OperatingPointTrial(heard, model.output, manifest.labels)

    noise, words = trial(wrong), {name: trial(streams) for name, streams in right.items()}

    def count(threshold: float | None) -> tuple[int, dict[str, int]]:
        changed = {} if threshold is None else {"threshold": threshold}
        settings = manifest.recognizer.model_copy(update=changed)
        heard = {}
        for name, each in words.items():
            tally = each.tally(settings)
            heard[name] = tally.targets - tally.misses
        return noise.tally(settings).false_accepts, heard

    return count


def theirs(word: str, place: Path, right: dict[str, Streams], wrong: Streams) -> Count:
    """Counts by the peer's front end, model and window, with our suppression."""
    streams = [*wrong, *(each for name in right for each in right[name])]
    with tempfile.TemporaryDirectory() as name:
        for number, (audio, _) in enumerate(streams):
            soundfile.write(f"{name}/{number}.wav", audio, RATE_HZ, subtype="PCM_16")
        python = _environment(place)
        command = [python, "-I", "-c", _PEER_PROGRAM, word, name, str(len(streams))]
        cutoff = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        scores = [np.load(f"{name}/{number}.npy") for number in range(len(streams))]
    heard = iter(scores[len(wrong) :])
    words = {name: [(next(heard), targets) for _, targets in right[name]] for name in right}

    def count(threshold: float | None) -> tuple[int, dict[str, int]]:
        limit = cutoff if threshold is None else threshold
        false = sum(len(_reports(each, limit)) for each in scores[: len(wrong)])
        found = {
            name: sum(len(match(targets, _reports(each, limit)).hits) for each, targets in streams)
            for name, streams in words.items()
        }
        return false, found

    return count


def _reports(scores: np.ndarray, threshold: float) -> list[ReportedWord]:
    """What is reported of (milliseconds, mean probability) rows, at most once in _SUPPRESSION_MS."""
    reports: list[ReportedWord] = []
    for time_ms, score in scores[scores[:, 1] > threshold]:
        if not reports or time_ms - reports[-1].time_ms >= _SUPPRESSION_MS:
            reports.append(ReportedWord(int(time_ms), WORD, round(1000 * float(score))))
    return reports


def _environment(place: Path) -> Path:
    """The python of the peer's environment, made where it is missing."""
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.is_file():
        venv.create(place, with_pip=True)
    subprocess.run([python, "-I", "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def table(count: Count, hours: float, words: int) -> dict[str, Any]:
    """At the default point, and at the lowest threshold within each rate."""

    def row(threshold: float | None) -> dict[str, Any]:
        false, heard = count(threshold)
        return {
            "threshold": threshold,
            "false_accepts": false,
            "per_hour": false / hours,
            "ci95": list(poisson_interval(false, hours)),
            "recall": {name: found / words for name, found in heard.items()},
            "recall_ci95": {name: list(wilson_interval(found, words)) for name, found in heard.items()},
        }

    points = [row(float(threshold)) for threshold in _THRESHOLDS]
    found = {"default": row(None)}
    for limit in ALLOWED_PER_HOUR:
        allowed = [point for point in points if point["per_hour"] <= limit]
        if allowed:
            found[f"≤ {limit:g} /h"] = allowed[0]
    return found


def show(name: str, rows: dict[str, Any]) -> None:
    """Prints a table."""
    print(name)
    for limit, row in rows.items():
        recalls = "  ".join(f"{key} {value:.3f}" for key, value in row["recall"].items())
        low, high = row["ci95"]
        at = "" if row["threshold"] is None else f" at {row['threshold']:.3f}"
        print(f"  {limit:9} {row['per_hour']:6.2f} /h ({low:.2f}–{high:.2f})  {recalls}{at}")


def others(data: Path, half: int | None) -> Material:
    """The clips of a folder, or of half of its speakers, as other sound, and its background recordings."""
    samples = round(CLIP_S * RATE_HZ)
    listed = folder.list_recordings(data, [])
    if half is not None:
        listed = [each for each in listed if zlib.crc32(each.group.encode()) % 2 == half]
    clips = folder.read_recordings(listed, RATE_HZ, samples)
    backgrounds = folder.read_backgrounds(data, RATE_HZ, samples)
    return Material([], list(clips.audio), [backgrounds[name] for name in sorted(backgrounds)])


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """The tables of all."""
    runs = [Run.open(path) for path in asked.runs]
    labels = {tuple(run.manifest().labels) for run in runs}
    assert len(labels) == 1, "runs of the same words"
    words = min(labels)[WORD:]
    assert not asked.venv or len(words) == 1, "the peer's models know one word each"
    voices = unheard_voices(runs)
    rest = others(asked.data, asked.half)
    wrong: Streams = [
        (audio, [])
        for audio in negatives(Material([], rest.others[: asked.limit], rest.backgrounds), RATE_HZ)
    ]
    right: dict[str, Streams] = {}
    for label, word in enumerate(words, WORD):
        clips = [(clip, label) for clip in spoken(word, voices, asked.seed, asked.count)]
        for name, snr_db in NOISE_DB.items():
            key = name if len(words) == 1 else f"{word} {name}"
            right[key] = positives(Material(clips, [], rest.backgrounds), snr_db, RATE_HZ)
    hours = sum(len(audio) for audio, _ in wrong) / RATE_HZ / 3600
    print(f"{asked.count} utterances of each word by {len(voices)} voices, {hours:.2f} h without the word")
    judged = {str(run.path): partial(ours, run, right, wrong) for run in runs}
    if asked.venv:
        judged["theirs"] = partial(theirs, words[0], asked.venv, right, wrong)
    found = {}
    for name, counting in judged.items():
        found[name] = table(counting(), hours, asked.count)
        show(name, found[name])
    return {"hours": hours, "n": asked.count, "voices": voices, "seed": asked.seed, "judged": found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--venv", type=Path, help="the peer's environment, made if missing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--limit", type=int, help="clips without the word")
    parser.add_argument(
        "--half",
        type=int,
        choices=(0, 1),
        help="clips of this half of the speakers: choose by one, report the other",
    )
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    outcome = measure(asked)
    if asked.json:
        asked.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
