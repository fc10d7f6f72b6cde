"""Small data sets in the format of MLPerf Tiny's runner, from real recordings and photographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
_SILENCE, _UNKNOWN = 10, 11
_RATE_HZ, _WINDOW, _STRIDE, _FFT = 16_000, 480, 320, 512
_MEL_BINS, _LOW_HZ, _HIGH_HZ, _COEFFICIENTS = 40, 20.0, 4000.0, 10
_KWS_SCALE, _KWS_ZERO_POINT = 0.5847029089927673, 83  # the reference model's input
_PERSON_AREA = 0.005  # Chowdhery et al., "Visual Wake Words Dataset", 2019: half a percent of the image


def mfcc(samples: np.ndarray) -> np.ndarray:
    """float [49, 10]: MFCCs of one second of 16 kHz audio, as the keyword spotting reference trains with.

    Periodic Hann windows of 30 ms every 20 ms, magnitudes of a 512 point FFT, 40 triangles on the HTK mel
    scale (1127 ln(1 + f / 700)) from 20 to 4,000 Hz, log with an offset of 1e-6, orthonormal DCT-II.
    """
    audio = np.zeros(_RATE_HZ)
    audio[: len(samples)] = samples[:_RATE_HZ] / max(1.0, float(samples.max(initial=0)))
    frames = np.lib.stride_tricks.sliding_window_view(audio, _WINDOW)[::_STRIDE]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    spectrum = np.abs(np.fft.rfft(frames * window, _FFT))
    log_mel = np.log(spectrum @ _mel_weights() + 1e-6)
    bins = np.arange(_MEL_BINS)
    basis = np.cos(np.pi / _MEL_BINS * np.outer(bins + 0.5, np.arange(_COEFFICIENTS)))
    return log_mel @ basis * np.sqrt(2 / _MEL_BINS)


def _mel_weights() -> np.ndarray:
    def mel(hz: np.ndarray) -> np.ndarray:
        return 1127.0 * np.log1p(hz / 700.0)

    edges = np.linspace(*mel(np.array([_LOW_HZ, _HIGH_HZ])), _MEL_BINS + 2)
    bins = mel(np.arange(_FFT // 2 + 1) * _RATE_HZ / _FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0
    return weights


def make_kws(shared: Path, folder: Path, per_class: int) -> Path:
    """`folder`/kws01 with `per_class` clips of each of the 12 classes."""
    root = shared / "data" / "speech_commands_v002_test"
    sources = {index: sorted((root / word).glob("*.flac")) for index, word in enumerate(WORDS)}
    sources[_SILENCE] = sorted((root / "_silence_").glob("*.flac"))
    others = sorted({path.name for path in root.iterdir() if path.is_dir()} - set(WORDS))
    unknown = [sorted((root / word).glob("*.flac")) for word in others if not word.startswith("_")]
    sources[_UNKNOWN] = [clips[0] for clips in unknown if clips]
    rows = []
    target = folder / "kws01"
    target.mkdir(parents=True)
    for truth, clips in sources.items():
        for clip in clips[:: max(1, len(clips) // per_class)][:per_class]:
            features = mfcc(soundfile.read(clip, dtype="int16")[0].astype(np.float64))
            values = np.round(features / _KWS_SCALE) + _KWS_ZERO_POINT
            name = f"{clip.parent.name}_{clip.stem}_{truth}.bin"
            (target / name).write_bytes(np.clip(values, -128, 127).astype(np.int8).tobytes())
            rows.append(f"{name},12,{truth}")
    (target / "y_labels.csv").write_text("\n".join(rows) + "\n")
    return target


def make_vww(shared: Path, folder: Path, count: int) -> Path:
    """`folder`/vww01: `count` photographs with and without people, scaled to 96 x 96 RGB."""
    from PIL import Image

    target = folder / "vww01"
    target.mkdir(parents=True)
    rows = []
    for index, (path, person) in enumerate(_photographs(shared)[:count]):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((96, 96), Image.Resampling.BILINEAR))
        name = f"{index:04d}_{path.stem}.bin"
        (target / name).write_bytes(pixels.astype(np.uint8).tobytes())
        rows.append(f"{name},2,{int(person)}")
    (target / "y_labels.csv").write_text("\n".join(rows) + "\n")
    return target


def _photographs(shared: Path) -> list[tuple[Path, bool]]:
    """The two fixtures first, then with and without a person in turns."""
    fixtures = shared / "data" / "person_fixtures"
    found: dict[bool, list[Path]] = {True: [], False: []}
    root = shared / "data" / "tiny_coco"
    for table in sorted((root / "annotations").glob("instances_*.json")):
        document = json.loads(table.read_text())
        person = next(item["id"] for item in document["categories"] if item["name"] == "person")
        area = {image["id"]: image["height"] * image["width"] for image in document["images"]}
        with_person = {
            item["image_id"]
            for item in document["annotations"]
            if item["category_id"] == person and item["area"] > _PERSON_AREA * area[item["image_id"]]
        }
        for image in document["images"]:
            for path in sorted(root.rglob(image["file_name"])):
                found[image["id"] in with_person].append(path)
    turns = [(path, flag) for pair in zip(found[True], found[False], strict=False) for path, flag in
             zip(pair, (True, False), strict=True)]  # fmt: skip
    return [(fixtures / "tflm_person.bmp", True), (fixtures / "tflm_no_person.bmp", False), *turns]
