"""How often words taught in a few takes of one's own voice are heard in a stream, and how often others are.

    python benchmarks/taught_words.py --data speech_commands/ [--body DIR/body.tflite] [--half]
                                      [--words yes,no,up,left,on,stop]

Each person who said a word four times or more teaches it in all but the last two takes (five at most); the
last two are heard in a stream, in quiet and in noise. The stream of other words holds what the judged people
say, one word every 1.3 s. Figures are only honest for a body that heard neither words nor people: see
`backbone.py --without-words --half`.
"""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import backbone
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.data.noise import coloured, unit_rms
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract, quantize_features
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.kws.noise_sweep import speech_rms
from tinyml_cli.teaching import lesson
from tinyml_cli.teaching.takes import WordTake
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.word_embedding import embedding, head

FEWEST_CLIPS, HEARD_CLIPS, MOST_TAKES = 4, 2, 5
PIECE_S, STRIDE_FRAMES = 1.3, 10
LEVELS_DB = (None, 20.0, 15.0, 10.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of Speech Commands' layout")
    parser.add_argument("--body", type=Path, help="body.tflite of backbone.py; the package's own without")
    parser.add_argument(
        "--words", type=lambda text: text.split(","), default=["yes", "no", "up", "left", "on", "stop"]
    )
    parser.add_argument(
        "--half", action="store_true", help="only the speakers that backbone.py --half left out"
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    everyone = backbone.people(asked.data)
    odd = np.array([zlib.crc32(group.encode()) % 2 == 1 for group in everyone.groups])
    judged = odd if asked.half else np.ones(len(everyone), bool)
    real = everyone.take(judged)
    if asked.body is not None:
        use_body(asked.body.read_bytes(), everyone.take(~judged), asked.seed)
    print(json.dumps(measure(real, asked.words, asked.seed), indent=1))


def use_body(code: bytes, heard: ClipSet, seed: int) -> None:
    """Puts another body, and what lessons know about it, in the place of the package's."""
    vectors, words = backbone.other_sound(code, heard, seed)
    tables = backbone.row_tables(code, vectors, heard.audio, seed)
    card = embedding.card().model_copy(update={"other_words": tuple(map(tuple, words))})
    for name, value in (("body", code), ("other_sound", vectors), ("row_tables", tables), ("card", card)):
        setattr(embedding, name, lambda value=value: value)


def measure(real: ClipSet, words: list[str], seed: int) -> dict[str, object]:
    """Of all people and words with enough clips."""
    lessons, heard = taught(real, words)
    rng = np.random.default_rng([seed, 51])
    others = stream_units(stream(real.audio[rng.permutation(len(real))], None, rng))
    order = np.random.default_rng([seed, 51]).permutation(len(real))
    hours = len(real) * PIECE_S / 3600
    accepts = [false_accepts(found, others, real.words[order], word) for (word, _), found in lessons.items()]
    result: dict[str, object] = {
        "people and words": len(lessons),
        "refused": heard.pop("refused"),
        "hours": round(hours, 3),
        "false accepts an hour": round(float(np.mean(accepts)) / hours, 2),
    }
    for level in LEVELS_DB:
        right = total = 0
        for key, found in lessons.items():
            for clip in heard[key]:
                values = stream_units(stream(clip[None], level, np.random.default_rng([seed, total])))
                right += bool(detections(found, values).any())
                total += 1
        low, high = wilson_interval(right, total)
        result["quiet" if level is None else f"{level:.0f} dB"] = {
            "heard": round(right / total, 3),
            "interval": [round(low, 3), round(high, 3)],
            "n": total,
        }
    return result


def taught(real: ClipSet, words: list[str]) -> tuple[dict, dict]:
    """Lessons, and the clips to be heard, by word and person."""
    lessons, heard, refused = {}, {}, 0
    for word in words:
        for group in sorted(set(real.groups)):
            own = real.audio[(real.words == word) & (real.groups == group)]
            if len(own) < FEWEST_CLIPS:
                continue
            taken = own[: min(len(own) - HEARD_CLIPS, MOST_TAKES)] if len(own) > 4 else own[:3]
            takes = [WordTake(f"{group} {row}", clip) for row, clip in enumerate(taken)]
            try:
                lessons[word, group] = lesson.learn(word, takes)
            except TinymlError:
                refused += 1
                continue
            heard[word, group] = own[len(taken) :][:HEARD_CLIPS]
    heard["refused"] = refused
    return lessons, heard


def stream(clips: NDArray[np.int16], level_db: float | None, rng: np.random.Generator) -> NDArray[np.int16]:
    """Clips every PIECE_S after a quiet while, int16 [samples], with noise so far below their speech."""
    rate, piece = backbone.RATE_HZ, round(PIECE_S * backbone.RATE_HZ)
    lead = 3 * rate
    sound = np.zeros(lead + len(clips) * piece + rate, np.float32)
    for row, clip in enumerate(clips):
        sound[lead + row * piece :][: len(clip)] = clip
    sound += rng.normal(0, 4, sound.size)
    if level_db is not None:
        noise = unit_rms(coloured(1, sound.size, rng))[0]
        sound += noise * float(np.mean(speech_rms(clips))) * 10 ** (-level_db / 20)
    return np.rint(sound).clip(-32768, 32767).astype(np.int16)


def stream_units(sound: NDArray[np.int16]) -> NDArray[np.int8]:
    """Unit vectors of the windows that a board judges."""
    settings = backbone.PLAIN.features
    features = extract(sound, settings)
    frames = settings.frames(backbone.SAMPLES)
    starts = range(0, len(features) - frames, STRIDE_FRAMES)
    model = head.normalised(embedding.body())
    source, _ = interpret.io_quantization(parse(model))
    windows = np.stack([features[start : start + frames] for start in starts])
    return interpret.run_int8(model, quantize_features(windows, source.scale, source.zero_point))


def detections(found: lesson.WordLesson, units: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Windows at whose end the word is reported, by the run's settings: the mean of two scores above 0.5."""
    sums = units.astype(np.int32) @ found.weights.astype(np.int32) + found.bias
    logits = np.clip(sums / 2048, -8, 8)
    scores = 1 / (1 + np.exp(-logits))
    mean = np.concatenate([[0], (scores[1:] + scores[:-1]) / 2])
    over = mean >= 0.5
    last, kept = -99, np.zeros(len(over), bool)
    for at in np.flatnonzero(over):
        if at - last >= 5:
            kept[at], last = True, at
    return kept


def false_accepts(
    found: lesson.WordLesson, units: NDArray[np.int8], said: NDArray[np.str_], word: str
) -> int:
    """Reports outside of what is the word itself."""
    settings = backbone.PLAIN.features
    at = np.flatnonzero(detections(found, units))
    end_s = (at * STRIDE_FRAMES * settings.stride_samples + backbone.SAMPLES) / backbone.RATE_HZ - 3
    first = np.clip((end_s - 1.6) // PIECE_S, 0, len(said) - 1).astype(int)
    last = np.clip(end_s // PIECE_S, 0, len(said) - 1).astype(int)
    return sum(word not in said[a : b + 1] for a, b in zip(first, last, strict=True))


if __name__ == "__main__":
    main()
