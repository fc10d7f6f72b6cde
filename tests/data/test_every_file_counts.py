"""Whatever lies in a data folder beside good files: each task uses it, or counts it with its reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly import files as feature_files
from tinyml_cli.tasks.anomaly.read import read as read_machines
from tinyml_cli.tasks.kws import held_out as kws_held_out
from tinyml_cli.tasks.vww import data as vww_data
from tinyml_cli.tasks.wand.imu_input import MOTIONS
from tinyml_cli.tasks.wand.stroke_input import StrokeSource

RATE_HZ = 16_000
Read = Callable[[Path], tuple[int, Mapping[str, int]]]


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    console.quiet = True


def _sound(path: Path, seed: int) -> None:
    soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 1600), RATE_HZ, format="WAV")


def _image(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16), np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")


def _motion(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        f"{10 * i},{rng.normal(0, 0.2):.4f},{rng.normal(0, 0.2):.4f},{1 + rng.normal(0, 0.1):.4f}"
        for i in range(200)
    ]
    path.write_text("\n".join(["t_ms,ax,ay,az", *rows]) + "\n")


def _strokes(path: Path, seed: int) -> None:
    points = [{"x": float(x), "y": float(y)} for x, y in np.random.default_rng(seed).normal(0, 0.3, (9, 2))]
    path.write_text(json.dumps({"strokes": [{"label": "wave", "strokePoints": points}]}))


def _windows(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path.write_text("\n".join(" ".join(f"{v:.4f}" for v in (1, *rng.normal(0, 1, 40))) for _ in range(5)))


def _features(path: Path, seed: int) -> None:
    path.write_bytes(np.random.default_rng(seed).normal(0, 1, 700).astype("<f4").tobytes())


def _read_kws(root: Path) -> tuple[int, Mapping[str, int]]:
    labels = ["silence", "unknown", "normal", "wave"]
    manifest = Manifest(task="kws", seed=1, labels=labels, features=AudioFrontendSettings(), clip_ms=1000)
    clips, _, left_out = kws_held_out._read(Run(root), manifest, root)
    return len(clips), {entry.path.as_posix(): 1 for entry in left_out}


def _read_vww(root: Path) -> tuple[int, Mapping[str, int]]:
    recipe = VwwRecipe(data_path=str(root), classes=["normal", "wave"], image={"size": 16})
    data = vww_data.read(root, recipe)
    return len(data.labels), {entry.path.as_posix(): 1 for entry in data.left_out}


def _read_motion(root: Path) -> tuple[int, Mapping[str, int]]:
    recipe = WandRecipe(input="imu", labels=["normal", "wave"], data_path=str(root))
    return len(MOTIONS.read(root, recipe, {}, {})), MOTIONS.read(root, recipe, {}, {}).left_out


def _read_strokes(root: Path) -> tuple[int, Mapping[str, int]]:
    takes = StrokeSource().read(root, WandRecipe(labels=["wave"]), {}, {})
    return len(takes), takes.left_out


def _read_machine(root: Path) -> tuple[int, Mapping[str, int]]:
    found = read_machines(root, (), None, RATE_HZ, refused={})
    return len({each.name.partition(":")[0] for each in found.recordings}), {
        entry.path.as_posix(): 1 for entry in found.left_out
    }


def _read_features(root: Path) -> tuple[int, Mapping[str, int]]:
    refused: dict[Path, TinymlError] = {}
    found = feature_files._files(root, 640, refused)
    used = [path for path, _, _ in found]
    return len(used), feature_files._left_out(root, used, refused)


# task: (ending, writer of a good file, reader)
TASKS: dict[str, tuple[str, Callable[[Path, int], None], Read]] = {
    "kws": ("wav", _sound, _read_kws),
    "vww": ("png", _image, _read_vww),
    "motion": ("csv", _motion, _read_motion),
    "strokes": ("json", _strokes, _read_strokes),
    "machine sound": ("wav", _sound, _read_machine),
    "machine series": ("csv", _motion, _read_machine),
    "windows": ("txt", _windows, _read_machine),
    "features": ("bin", _features, _read_features),
}
# Of these, none is good data for any task.
STRANGERS: dict[str, bytes] = {
    "normal/empty.{}": b"",
    "normal/noise.{}": bytes(range(256)) * 8,
    "normal/Z.{}": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "normal/.hidden.{}": b"x",
    "normal/._a.{}": b"\0\5\26\7",
    "normal/notes.docx": b"PK\3\4",
    "normal/without_ending": b"x",
    "normal/deep/er/cut.{}": b"RIFF\x24\0\0\0WAVEfmt ",
    ".git/config": b"x",
    "wave/Thumbs.db": b"x",
    "README.md": b"About\n",
    "wave/movie.mp4": b"\0\0\0\x18ftypmp42",
    "wave/broken link.{}": b"",
    "wave/folder of links": b"",
}


def _put(root: Path, name: str, content: bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if "broken link" in name:
        path.symlink_to(root / "nowhere")
    elif "folder of links" in name:
        path.symlink_to(root)
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("task", TASKS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strangers=st.sets(st.sampled_from(sorted(STRANGERS))))
def test_used_and_counted_files_are_all_there_are(
    tmp_path_factory: pytest.TempPathFactory, task: str, strangers: set[str]
) -> None:
    ending, write, read = TASKS[task]
    root = tmp_path_factory.mktemp("data") / "set"
    for label in ("normal", "wave"):
        (root / label).mkdir(parents=True)
        for number in range(3):
            write(root / label / f"v{number}_nohash_0.{ending}", 10 * number + len(label))
    # Names that differ in case alone are two files here, or one where the file system says so; the simulated
    # Windows refuses the second.
    capitals = "V9" if sys.platform == "win32" else "V0"
    write(root / "wave" / f"{capitals}_NOHASH_0.{ending.upper()}", 99)
    good = sum(path.is_file() for path in root.rglob("*"))
    for name in strangers:
        _put(root, name.format(ending), STRANGERS[name])
    used, left_out = read(root)
    assert used == good
    assert sum(left_out.values()) == len(strangers), left_out


@pytest.mark.parametrize("task", TASKS)
def test_where_nothing_can_be_read_the_reason_is_told(tmp_path: Path, task: str) -> None:
    ending, _, read = TASKS[task]
    for label in ("normal", "wave"):
        _put(tmp_path, f"{label}/a_nohash_0.{ending}", bytes(range(256)) * 8)
    with pytest.raises(TinymlError) as caught:
        read(tmp_path)
    assert "a_nohash_0" in str(caught.value) or "None of the" in str(caught.value)
