"""Trains the word embedding that the package ships, and says how well it tells unheard words apart.

    python benchmarks/backbone.py --data speech_commands/ --out DIR [--seed 1] [--steps 5000]
                                  [--without-words yes,no,up,left,on,stop] [--half]

It hears synthetic words of many languages by the package's own voices (Kokoro's too, where the extra is
installed), people saying the words of a folder of Speech Commands' layout, and the same people saying words
that do not exist: halves of two of their words joined, and words backwards. Figures are only honest for words
and people that it never heard: --without-words keeps words out, --half trains on the one half of the speakers
and judges by the other. Both go into DIR/body.json beside DIR/body.tflite.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import folder
from tinyml_cli.data.augment import mask_features
from tinyml_cli.data.clips import ClipSet, join
from tinyml_cli.data.noise import coloured, unit_rms
from tinyml_cli.features.audio_frontend import extract, extract_last, quantize_features
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import kokoro, languages, reading, synthesis, vocabulary
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.voices import Voices
from tinyml_cli.tasks.kws.lead_in import settled
from tinyml_cli.tasks.kws.noise_sweep import mix, speech_rms
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.examples import to_float
from tinyml_cli.word_embedding.row import MAP_BITS, MEAN_BITS, RowTables

Audio = NDArray[np.int16]
Floats = NDArray[np.float32]

PLAIN = KwsRecipe()
RATE_HZ, SAMPLES = PLAIN.features.sample_rate_hz, PLAIN.clip_samples
HEARD = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "cs",
    "hu", "ru", "ar", "ja", "cmn", "vi", "ro", "da", "uk",
)  # fmt: skip
UNHEARD = ("sw", "fi", "el", "ko", "hi", "pl", "id", "tr")
# Of each language, and of English: words, clips of a word, variations of its clips.
WORDS, CLIPS, VARIATIONS = 30, 24, 48
ENGLISH_WORDS, ENGLISH_CLIPS, ENGLISH_VARIATIONS = 200, 30, 72
KOKORO_SHARE = 0.15
# The other half of Kokoro's voices is left for judging.
KOKORO_VOICES = kokoro.VOICES[::2]
REAL_VARIATIONS, MOST_REAL_VARIATIONS = 6, 192
SPLICED_CLIPS, SHORTEST_WORD = 48, 3
BATCH, SCALE, MARGIN, RATE, WARM_UP = 64, 16.0, 0.1, 3e-3, 200
SHRINKAGE = 0.3
CALIBRATED = 500
BANK, PARAMETERS = 2000, 42_560
MAPPED_CLIPS, MAPPED_NOISE_DB = 1500, (20.0, 12.0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of Speech Commands' layout")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--without-words", type=lambda text: text.split(","), default=[])
    parser.add_argument("--ship", type=Path, help="write what the package needs into this folder")
    parser.add_argument("--variant", type=Path, help="body.json of a variant that has figures of people")
    parser.add_argument("--half", action="store_true", help="train on one half of the speakers")
    parser.add_argument("--without-spliced", action="store_true", help="no words that do not exist")
    parser.add_argument("--synthetic", type=Path, help="keeps the features of synthetic words for variants")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=["espeak", "flite", "kokoro"])
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    real = people(asked.data)
    judged = np.isin(real.words, asked.without_words) if asked.without_words else np.zeros(len(real), bool)
    heard = ~judged
    if asked.half:
        odd = np.array([zlib.crc32(group.encode()) % 2 == 1 for group in real.groups])
        heard, judged = heard & ~odd, judged & odd
    features, labels, names = examples(asked, real.take(heard))
    say(f"{len(features)} examples of {len(names)} words", started)
    model = train(features, labels, len(names), asked.steps, asked.seed, started)
    model.save(asked.out / "body.keras")
    rng = np.random.default_rng([asked.seed, 5])
    model = whiten(
        model, features, labels, settled(real.audio[heard], PLAIN.features), real.words[heard], rng
    )
    path = asked.out / "body_whitened.keras"
    model.save(path)
    body = convert(path, features[rng.permutation(len(features))[:CALIBRATED]])
    (asked.out / "body.tflite").write_bytes(body)
    card = {
        "seed": asked.seed,
        "steps": asked.steps,
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "languages": HEARD,
        "labels": len(names),
        "examples": len(features),
        "people": {
            "source": "Speech Commands v0.02, test set, P. Warden, CC BY 4.0",
            "words": sorted(set(map(str, real.words[heard]))),
            "speakers": len(set(real.groups[heard])),
            "clips": int(heard.sum()),
        },
        "engines": asked.engines,
        "features": PLAIN.features.model_dump(),
        "figures": figures(body, real.take(judged), asked.seed),
        "processor_s": round(time.process_time() - started),
    }
    (asked.out / "body.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    if asked.ship is not None:
        ship(body, with_variant(card, asked.variant), real.take(heard), asked.ship, asked.seed)
    print(json.dumps(card["figures"]))


def with_variant(card: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """The card with the figures of a network that heard neither the words nor the people it was judged by."""
    if path is None:
        return card
    of = json.loads(path.read_text(encoding="utf-8"))
    chosen = {key: of[key] for key in ("seed", "steps", "sha256", "people", "figures")}
    return card | {"variant": chosen}


def ship(code: bytes, card: dict[str, Any], people: ClipSet, folder: Path, seed: int) -> None:
    """The network, its card, and unit vectors of what is none of the taught words."""
    (folder / "word_embedding.tflite").write_bytes(code)
    vectors, words = other_sound(code, people, seed)
    np.save(folder / "other_sound.npy", vectors)
    tables = row_tables(code, vectors, people.audio, seed)
    with (folder / "row_tables.npz").open("wb") as file:
        np.savez(file, **vars(tables))
    whole = card | {"parameters": PARAMETERS, "other_words": words}
    text = json.dumps(whole, ensure_ascii=False) + "\n"
    (folder / "word_embedding.json").write_text(text, encoding="utf-8")


def other_sound(code: bytes, people: ClipSet, seed: int) -> tuple[NDArray[np.int8], list[list[str]]]:
    """Windows of a stream in which people and synthetic voices of many languages say words.

    Returns:
        Unit vectors int8 [BANK, values] in 1/128, and the words that each
        window may hold, that in its middle first.
    """
    rng = np.random.default_rng([seed, 35])
    spoken_words = [
        *(unheard(code_, seed) for code_ in UNHEARD),
        spoken("en", set(), ["espeak", "flite"], seed),
    ]
    synthetic = join(spoken_words).take(rng.permutation(sum(map(len, spoken_words)))[: len(people) // 2])
    clips = join([people, synthetic]).take(rng.permutation(len(people) + len(synthetic)))
    stride = PLAIN.features.stride_samples
    piece = round(1.3 * RATE_HZ / stride) * stride
    stream = np.zeros((len(clips), piece), np.float32)
    stream[:, :SAMPLES] = clips.audio
    sound = stream.reshape(-1) + rng.normal(0, 4, stream.size)
    noise = rng.choice(len(clips), len(clips) // 3, replace=False)
    for row in noise:
        level = 10 ** (-rng.uniform(5, 25) / 20) * np.sqrt(np.square(stream[row]).mean())
        sound[row * piece : (row + 1) * piece] += level * coloured(1, piece, rng)[0]
    features = extract(np.rint(sound).clip(-32768, 32767).astype(np.int16), PLAIN.features)
    frames = PLAIN.features.frames(SAMPLES)
    starts = np.sort(rng.choice(len(features) - frames, BANK, replace=False))
    middle = (starts * stride + SAMPLES // 2) // piece
    first = starts * stride // piece
    names = [str(label).rpartition(":")[2] for label in clips.labels]
    last = np.minimum((starts * stride + SAMPLES) // piece, len(names) - 1)
    words = [
        list(dict.fromkeys(names[row] for row in rows)) for rows in zip(middle, first, last, strict=True)
    ]
    return units(code, np.stack([features[start : start + frames] for start in starts])), words


def units(code: bytes, features: NDArray[np.uint16]) -> NDArray[np.int8]:
    """Unit vectors in 1/128 of features."""
    from tinyml_cli.tflite import interpret
    from tinyml_cli.tflite.graph import parse
    from tinyml_cli.word_embedding import head

    model = head.normalised(code)
    source, _ = interpret.io_quantization(parse(model))
    inputs = quantize_features(features, source.scale, source.zero_point)
    return interpret.run_int8(model, inputs, interpret.reference_runtime())


def row_tables(code: bytes, others: NDArray[np.int8], audio: Audio, seed: int) -> RowTables:
    """What lessons know about a body; see `tinyml_cli.word_embedding.row`.

    Args:
        code: int8 flatbuffer of the body.
        others: unit vectors of other sound, int8 [windows, values].
        audio: clips int16 [clips, samples] to hear in noise.
        seed: chooses some of them, and the noise.
    """
    rng = np.random.default_rng([seed, 37])
    clips = audio[rng.permutation(len(audio))[:MAPPED_CLIPS]]
    quiet = units(code, settled(clips, PLAIN.features)) / 128
    inputs = np.column_stack([quiet, np.ones(len(quiet))])
    maps, offsets = [], []
    for level in MAPPED_NOISE_DB:
        beds = unit_rms(coloured(len(clips), SAMPLES, rng))
        noisy = units(code, settled(mix(clips, beds, speech_rms(clips), level), PLAIN.features)) / 128
        fitted = np.linalg.solve(inputs.T @ inputs + 5 * np.eye(inputs.shape[1]), inputs.T @ noisy)
        maps.append(np.rint(fitted[:-1].T * 2**MAP_BITS).clip(-32768, 32767).astype(np.int16))
        offsets.append(np.rint(fitted[-1] * 128 * 2**MAP_BITS).astype(np.int32))
    values = others / 128
    spread = np.cov(values.T)
    even = np.eye(len(spread)) * np.trace(spread) / len(spread)
    inverse = np.linalg.inv((1 - SHRINKAGE) * spread + SHRINKAGE * even)
    return RowTables(
        np.stack(maps),
        np.stack(offsets),
        np.rint(values.mean(axis=0) * 128 * 2**MEAN_BITS).astype(np.int16),
        np.rint(inverse / np.abs(inverse).max() * 32767).astype(np.int16),
    )


def people(data: Path) -> ClipSet:
    """Clips of people; `labels` are their words."""
    words = sorted(folder.word_folders(data))
    listed = [each for each in folder.list_recordings(data, words) if each.label in words]
    return folder.read_recordings(listed, RATE_HZ, SAMPLES)


def examples(
    asked: argparse.Namespace, real: ClipSet
) -> tuple[NDArray[np.uint16], NDArray[np.int64], list[str]]:
    """Features, their labels, and the labels' names."""
    if asked.synthetic is not None and asked.synthetic.is_file():
        with np.load(asked.synthetic) as kept:
            found = Examples(asked.seed, [kept["features"]], kept["labels"].tolist(), kept["names"].tolist())
    else:
        found = Examples(asked.seed, [], [], [])
        left_out = set(folder.word_folders(asked.data))
        for code in HEARD:
            clips = spoken(code, left_out, asked.engines, asked.seed)
            found.add(clips, ENGLISH_VARIATIONS if code == "en" else VARIATIONS)
        if asked.synthetic is not None:
            features = np.concatenate(found.features)
            np.savez(asked.synthetic, features=features, labels=found.labels, names=found.names)
    found.add(named(real, "people"), None)
    if not asked.without_spliced:
        found.add(named(backwards(real), "backwards"), None)
        found.add(named(spliced(real), "spliced"), None)
    return np.concatenate(found.features), np.array(found.labels), found.names


@dataclass
class Examples:
    """Variations of clips, a label for each of their names."""

    seed: int
    features: list[NDArray[np.uint16]]
    labels: list[int]
    names: list[str]

    def add(self, clips: ClipSet, variations: int | None) -> None:
        """So many of each name; by the number of its clips for None."""
        for name in sorted(set(map(str, clips.labels))):
            own = clips.take(clips.labels == name)
            count = variations or min(MOST_REAL_VARIATIONS, REAL_VARIATIONS * len(own))
            self.features.append(varied(own, name, count, [self.seed, len(self.names)]))
            self.labels += [len(self.names)] * count
            self.names.append(name)


def spoken(code: str, left_out: set[str], engines: Sequence[str], seed: int) -> ClipSet:
    """Words of a language that are not among the people's, nor sound like them."""
    rng = np.random.default_rng([seed, 21])
    language = languages.find(code)
    words = sorted(w for w in vocabulary.words_of(code) if w not in left_out and not w.isdigit())
    english = code == languages.ENGLISH
    if english:
        sounds = dict(zip(words, reading.sounds(words, language), strict=True))
        taken = set(reading.sounds(sorted(left_out), language))
        words = [word for word in words if sounds[word] not in taken]
    else:
        words = [word for word in words if len(word) >= SHORTEST_WORD] or words
    chosen = [
        words[row] for row in sorted(rng.permutation(len(words))[: ENGLISH_WORDS if english else WORDS])
    ]
    clips = synthesis.synthesise(
        chosen,
        ENGLISH_CLIPS if english else CLIPS,
        0,
        Voices(list(engines) if english else ["espeak"], KOKORO_SHARE, KOKORO_VOICES),
        RATE_HZ,
        SAMPLES,
        seed,
        Pronunciation((code,)),
        skip_unsayable=True,
    ).clips
    return named(clips, code)


def named(clips: ClipSet, kind: str) -> ClipSet:
    return ClipSet(clips.audio, np.array([f"{kind}:{w}" for w in clips.labels]), clips.words, clips.groups)


def backwards(real: ClipSet) -> ClipSet:
    return ClipSet(np.ascontiguousarray(real.audio[:, ::-1]), real.labels, real.words, real.groups)


def spliced(real: ClipSet) -> ClipSet:
    """The first half of a word and the second of another by the same person; a label for each pair."""
    middles = [centre(audio) for audio in real.audio]
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(real.groups):
        rows.setdefault(str(group), []).append(row)
    made: dict[str, list[tuple[Audio, str]]] = {}
    for group, own in sorted(rows.items()):
        first_of = {str(real.words[row]): row for row in reversed(own)}
        for first, a in first_of.items():
            for second, b in first_of.items():
                if first != second:
                    pair = made.setdefault(f"{first}+{second}", [])
                    pair.append((splice(real.audio[a], middles[a], real.audio[b], middles[b]), group))
    kept = {name: clips[:SPLICED_CLIPS] for name, clips in made.items() if len(clips) >= SPLICED_CLIPS // 2}
    flat = [(audio, name, group) for name, clips in sorted(kept.items()) for audio, group in clips]
    names = np.array([name for _, name, _ in flat])
    return ClipSet(np.stack([a for a, _, _ in flat]), names, names, np.array([g for _, _, g in flat]))


def centre(audio: Audio) -> int:
    """The sample before which half of the sound's energy lies."""
    energy = np.cumsum(np.square(audio.astype(np.float64)))
    return int(np.searchsorted(energy, energy[-1] / 2))


def splice(first: Audio, cut: int, second: Audio, start: int) -> Audio:
    """What comes before `cut` and after `start`, cross-faded over 10 ms, the seam in the middle of a clip."""
    fade = RATE_HZ // 100
    before = np.roll(first, SAMPLES // 2 - cut).astype(np.float32)
    after = np.roll(second, SAMPLES // 2 - start).astype(np.float32)
    ramp = np.clip((np.arange(SAMPLES) - SAMPLES // 2) / fade + 0.5, 0, 1)
    return np.rint(before * (1 - ramp) + after * ramp).clip(-32768, 32767).astype(np.int16)


def varied(clips: ClipSet, label: str, count: int, seed: Sequence[int]) -> NDArray[np.uint16]:
    """Features of a label's variations, most of them after a lead-in."""
    lead_in = PLAIN.augmentation.lead_in.model_copy(update={"cold_share": 0.1})
    augmentation = PLAIN.augmentation.model_copy(update={"lead_in": lead_in})
    recipe = PLAIN.model_copy(update={"words": [label], "augmentation": augmentation})
    variations, rng = Variations(clips, (), recipe, seed), np.random.default_rng([*seed, 7])
    parts = [
        extract_last(
            variations.make(label, start, min(32, count - start), False, rng), recipe.features, SAMPLES
        )
        for start in range(0, count, 32)
    ]
    return np.concatenate(parts)


def train(
    features: NDArray[np.uint16],
    labels: NDArray[np.int64],
    count: int,
    steps: int,
    seed: int,
    started: float,
) -> Any:
    """A body under a classifier whose logits are cosines."""
    import keras
    import tensorflow as tf

    from tinyml_cli.models.word_embedding import build

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng([seed, 9])
    body = build((*features.shape[1:], 1))
    vectors = tf.Variable(rng.normal(0, 0.1, (body.output.shape[1], count)).astype(np.float32))
    variables = [*body.trainable_variables, vectors]
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - WARM_UP, warmup_target=RATE, warmup_steps=WARM_UP
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4)
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(inputs: Any, wanted: Any) -> Any:
        with tf.GradientTape() as tape:
            unit = tf.math.l2_normalize(body(inputs, training=True), 1)
            right = tf.one_hot(wanted, count)
            logits = SCALE * (unit @ tf.math.l2_normalize(vectors, 0) - MARGIN * right)
            soft = 0.95 * right + 0.05 / count
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(soft, logits))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    total = 0.0
    for number, rows in enumerate(batches(len(features), steps, rng), start=1):
        inputs = to_float(features[rows])
        mask_features(inputs, rng, 2, 2)
        total += float(step(tf.constant(inputs), tf.constant(labels[rows])))
        if number % 250 == 0:
            say(f"step {number}: loss {total / 250:.3f}", started)
            total = 0.0
    return body


def batches(count: int, steps: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Rows of each step; all take their turn."""
    order = np.empty(0, np.intp)
    for _ in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(count)
        yield order[:BATCH]
        order = order[BATCH:]


def whiten(
    model: Any,
    features: NDArray[np.uint16],
    labels: NDArray[np.int64],
    real: NDArray[np.uint16],
    words: NDArray[np.str_],
    rng: np.random.Generator,
) -> Any:
    """Scales directions in which one word varies down (within-class covariance normalisation)."""
    from tinyml_cli.models.word_embedding import whitened

    def embed(part: NDArray[np.uint16]) -> Floats:
        return np.concatenate(
            [model.predict_on_batch(to_float(x)) for x in np.array_split(part, -(-len(part) // 256))]
        )

    rows = rng.permutation(len(features))[:6000]
    values = np.concatenate([embed(real), embed(features[rows])]).astype(np.float64)
    classes = np.concatenate([np.unique(words, return_inverse=True)[1], labels[rows] + 10_000])
    within = np.zeros((values.shape[1],) * 2)
    for each in np.unique(classes):
        own = values[classes == each]
        within += (own - own.mean(axis=0)).T @ (own - own.mean(axis=0))
    within /= len(values)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.eye(len(within)) * np.trace(within) / len(within)
    sizes, directions = np.linalg.eigh(within)
    return whitened(model, values.mean(axis=0), directions @ np.diag(sizes**-0.5) @ directions.T)


def convert(path: Path, features: NDArray[np.uint16]) -> bytes:
    """The int8 flatbuffer, by the project's own conversion."""
    from tinyml_cli.conversion.convert import to_flatbuffers
    from tinyml_cli.models.source import open_source

    return to_flatbuffers(open_source(path), [to_float(features)]).int8


def embeddings(body: bytes, features: NDArray[np.uint16]) -> Floats:
    """Unit vectors of the int8 network, float32 [n, values]."""
    from tinyml_cli.tflite import interpret
    from tinyml_cli.tflite.graph import parse

    source, target = interpret.io_quantization(parse(body))
    codes = interpret.run_int8(body, quantize_features(features, source.scale, source.zero_point)[..., None])
    return unit(interpret.dequantize_values(codes, target))


def unit(values: Floats) -> Floats:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-6)


def figures(body: bytes, real: ClipSet, seed: int) -> dict[str, Any]:
    """5-way episodes; support and query are by different people or voices."""
    rng = np.random.default_rng([seed, 31])
    found: dict[str, Any] = {}
    if len(real):
        values = embeddings(body, settled(real.audio, PLAIN.features))
        found["people"] = episodes(values, real.words, real.groups, rng) | {"clips": len(real)}
    synthetic = join([unheard(code, seed) for code in UNHEARD])
    values = embeddings(body, settled(synthetic.audio, PLAIN.features))
    found["unheard languages"] = episodes(values, synthetic.labels, synthetic.groups, rng)
    for code in UNHEARD:
        own = np.char.startswith(synthetic.labels, f"{code}:")
        found[code] = episodes(values[own], synthetic.labels[own], synthetic.groups[own], rng)
    return found


def unheard(code: str, seed: int) -> ClipSet:
    """Ten words of a language that it never heard."""
    rng = np.random.default_rng([seed, 33])
    words = [
        w
        for w in sorted(vocabulary.words_of(code))
        if not w.isdigit() and (len(w) >= SHORTEST_WORD or code == "ko")
    ]
    chosen = [words[row] for row in sorted(rng.permutation(len(words))[:10])]
    clips = synthesis.synthesise(
        chosen,
        CLIPS,
        0,
        Voices(["espeak"]),
        RATE_HZ,
        SAMPLES,
        seed + 1,
        Pronunciation((code,)),
        skip_unsayable=True,
    ).clips
    return named(clips, code)


def episodes(
    values: Floats,
    words: NDArray[np.str_],
    people: NDArray[np.str_],
    rng: np.random.Generator,
    count: int = 600,
) -> dict[str, float]:
    """Share of queries whose nearest prototype of five is right, after five shots and after one."""
    return {f"{shot}-shot": episode_mean(values, words, people, shot, rng, count) for shot in (5, 1)}


def episode_mean(
    values: Floats,
    words: NDArray[np.str_],
    people: NDArray[np.str_],
    shot: int,
    rng: np.random.Generator,
    count: int,
) -> float:
    right = total = 0
    for _ in range(count):
        prototypes, queries, wanted = [], [], []
        for place, word in enumerate(rng.permutation(np.unique(words))[:5]):
            rows = rng.permutation(np.flatnonzero(words == word))
            taught = rows[:shot]
            others = [row for row in rows[shot:] if people[row] not in set(people[taught])][:5]
            prototypes.append(unit(values[taught].mean(axis=0)))
            queries += others
            wanted += [place] * len(others)
        nearest = (values[queries] @ np.array(prototypes).T).argmax(axis=1)
        right += int((nearest == np.array(wanted)).sum())
        total += len(wanted)
    return round(right / total, 3)


def say(text: str, started: float) -> None:
    print(f"{time.process_time() - started:6.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
