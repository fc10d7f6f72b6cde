"""The page's own modules, in Node: sound, pictures and motion become what Python makes of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml_cli.build.page import script
from tinyml_cli.data.resample import resample
from tinyml_cli.features import image
from tinyml_cli.files import firmware_dir

RATES = ((48_000, 16_000), (44_100, 16_000), (8_000, 16_000), (16_000, 16_000))


def in_node(program: str, given: object = None) -> Any:
    """What a module prints as JSON; `given` is its `given`."""
    if shutil.which("node") is None:
        pytest.skip("no node here")
    folder = (firmware_dir() / "page").as_uri()
    imports = "\n".join(f'import * as {name} from "{folder}/{name}.mjs";' for name in ("sound", "senses"))
    text = f"{imports}\nconst given = {json.dumps(given)};\n{program}"
    done = subprocess.run(
        ["node", "--input-type=module"], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_sound_of_any_rate_is_what_python_makes_of_it() -> None:
    rng = np.random.default_rng(1)
    sounds = [(rng.normal(0, 0.2, rate // 10).clip(-1, 1), rate, to) for rate, to in RATES]
    program = """
const all = given.map(([x, from, to]) => {
  const whole = [...new sound.Resampler(from, to).push(sound.toInt16(x))];
  const pieces = new sound.Resampler(from, to);
  const parts = [];
  for (let at = 0; at < x.length; at += 127) parts.push(...pieces.push(sound.toInt16(x.slice(at, at + 127))));
  return [whole, parts];
});
console.log(JSON.stringify(all));"""
    found = in_node(program, [(list(x), rate, to) for x, rate, to in sounds])
    for (x, rate, to), (whole, pieces) in zip(sounds, found, strict=True):
        assert whole == pieces
        expected = 32768 * resample(np.rint(x * 32768).clip(-32768, 32767) / 32768, rate, to)
        # What the filter still waits for: 24 zero crossings of the lower rate.
        assert len(expected) - 24 * to // min(rate, to) <= len(whole) <= len(expected)
        assert np.abs(expected[: len(whole)].clip(-32768, 32767) - whole).max() < 4


def test_wav_files_are_read_and_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(np.array([[1, 3], [-4, -8], [32767, 32767]], "<i2").tobytes())
    whole = path.read_bytes()
    damaged = [b"", b"RIFF", whole[:30], b"OggS" + bytes(60), whole.replace(b"fmt ", b"fnt ")]
    program = """
const read = (bytes) => sound.readWav(Uint8Array.from(bytes).buffer);
const { rateHz, samples } = read(given[0]);
console.log(JSON.stringify([rateHz, [...samples], ...given.slice(1).map(read)]));"""
    found = in_node(program, [list(data) for data in (whole, *damaged)])
    assert found == [22_050, [2, -6, 32767], *[None] * len(damaged)]


def test_frames_are_those_of_the_camera() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    rgba = np.dstack([pixels, np.full((12, 12), 255, np.uint8)]).ravel().tolist()
    program = """
const pixels = Uint8ClampedArray.from(given);
console.log(JSON.stringify([true, false].map((colour) => [...senses.toFrame(pixels, colour)])));"""
    colour, grey = in_node(program, rgba)
    assert bytes(colour) == image.pack_frame(pixels, 12, 12, "rgb565")
    assert bytes(grey) == image.pack_frame(pixels, 12, 12, "grey")


def test_motion_comes_at_the_models_rate_and_skips_what_was_hidden() -> None:
    program = """
const clock = new senses.MotionClock(119);
const found = [];
for (let ms = 0; ms <= 1000; ms += 16) found.push(...clock.push(ms, [ms, 0, 0, 0, 0, 0]));
const later = clock.push(60000, [5, 0, 0, 0, 0, 0]);
const rotationRate = { alpha: 3, beta: 1, gamma: 2 };
const event = { accelerationIncludingGravity: { x: 0, y: 0, z: 9.80665 }, rotationRate };
console.log(JSON.stringify([found.map((each) => each[0]), later, senses.toMotion(event, false),
  senses.toMotion({ accelerationIncludingGravity: { x: null } }, false)]));"""
    times, later, flat, nothing = in_node(program)
    assert np.allclose(times, np.arange(len(times)) * 1000 / 119) and len(times) == 119
    assert later == [[5, 0, 0, 0, 0, 0]]
    assert np.allclose(flat, [0, 0, 1000, 1000, 2000, 3000]) and nothing is None


def test_the_page_has_one_module_that_needs_no_other() -> None:
    assert "\nimport " not in script() and "\nexport " not in script()
