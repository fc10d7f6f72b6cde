"""What each task calls reported is what its board reports; and items survive being written and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.attack.test_attack import _make
from tests.conftest import Tinyml
from tests.doubles import looking_run
from tinyml_cli.attack.attack import surface_of
from tinyml_cli.attack.surface import NOTHING
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.files import write_arrays
from tinyml_cli.run import MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tasks.kws.hearing import hear


def test_a_clip_is_reported_as_explain_hears_it(whistle_run: Path) -> None:
    run = Run(whistle_run)
    manifest = run.manifest()
    surface = surface_of(run, None)
    items = surface.items[:: max(1, len(surface.items) // 6)][:6]
    model = Int8Model(run.file(MODEL_INT8).read_bytes())
    for item, reported in zip(items, surface.reported(items), strict=True):
        steps = hear(item, model, manifest).steps
        words = [step.reported for step in steps if step.reported is not None]
        best = max(words, key=lambda word: word.score_permille, default=None)
        assert reported == (NOTHING if best is None else best.label)
    assert surface.features(items).shape[1] >= 3, "as many looks as the recogniser wants"


def test_a_written_clip_is_read_back(whistle_run: Path, tmp_path: Path) -> None:
    surface = surface_of(Run(whistle_run), None)
    surface.write(tmp_path / "a.wav", surface.items[0])
    assert np.array_equal(surface.read(tmp_path / "a.wav")[0], surface.items[0])
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    surface.write(tmp_path / "c.wav", np.zeros(16000, np.int16))
    for name in ("b.wav", "c.wav", "none.wav"):
        with pytest.raises(TinymlError):
            surface.read(tmp_path / name)


def test_images_are_reported_by_threshold_and_background(tmp_path: Path) -> None:
    surface = surface_of(_make(tmp_path / "run"), None)
    greys = np.array([20, 102, 105, 230])  # 102 is the middle, 0.6 lies a little above it
    items = np.broadcast_to(greys[:, None, None, None], (4, 32, 32, 1)).astype(np.uint8)
    reported = surface.reported(items)
    assert reported.tolist() == [NOTHING, NOTHING, NOTHING, 1]
    assert surface.is_reported(reported, 0).tolist() == [True, True, True, False]
    noisy = np.random.default_rng(1).integers(0, 256, (32, 32, 1)).astype(np.uint8)
    surface.write(tmp_path / "a.png", noisy)
    assert np.array_equal(surface.read(tmp_path / "a.png")[0], noisy)


def test_classes_without_a_background_are_seen_or_not(tmp_path: Path) -> None:
    run = looking_run.of_cells(tmp_path / "run")
    manifest = run.manifest()
    pixels = np.stack([looking_run.cell(index) for index in range(20)])[..., None]
    names, shares = np.array([f"{n}" for n in range(20)]), np.full(20, np.nan)
    arrays = {"pixels": pixels, "labels": np.arange(20), "names": names, "shares": shares}
    write_arrays(run.file("logs/held_out.npz"), arrays)
    run.file(MODEL_FLOAT32).write_bytes(looking_run.grid_model())
    for name in (MODEL_FLOAT32, "logs/held_out.npz"):
        run.record(manifest, name, "tinyml train")
    run.save(manifest)
    surface = surface_of(run, None)
    assert surface.reported(surface.items).tolist() == list(range(20))
    assert surface.reported(np.full((1, 32, 32, 1), 99, np.uint8)).tolist() == [NOTHING]


@pytest.mark.nightly
def test_the_figures_of_the_documentation(tinyml: Tinyml, tmp_path: Path) -> None:
    """Targeted success of 1.00 at 20 dB where noise has none or hardly any; one sound for all at 10 dB."""
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    recipe = {
        "synthesis.unknown_clips": 1000,
        "augmentation.copies": 4,
        "training.epochs": 12,
        "training.test_share": 0.3,
    }
    settings = [part for key, value in recipe.items() for part in ("--set", f"{key}={value}")]
    run = tmp_path / "run"
    tinyml("train", "kws", "--words", "yes,no", *settings, "--run", run, cwd=tmp_path)
    for stage in ("quantize", "convert"):
        tinyml(stage, run, cwd=tmp_path)
    told = tinyml("attack", run, "--target", "yes", "--snr", "20", "--json", cwd=tmp_path).json["points"][0]
    assert told["device"]["share"] >= 0.95 and told["device"]["n"] >= 20
    assert told["noise_device"]["share"] <= 0.1
    options = ("--universal", "--rooms", "--snr", "10", "--steps", "80", "--target", "yes", "--json")
    told = tinyml("attack", run, *options, cwd=tmp_path).json["points"][0]
    assert told["device"]["share"] >= 0.9 and told["in_rooms"]["share"] >= 0.9
    options = ("--defend", "--snr", "50,40", "--items", "16", "--target", "yes", "--json")
    told = tinyml("attack", run, *options, cwd=tmp_path).json
    defence = told["defence"]
    before, after = (sum(at["device"]["share"] for at in each["points"]) for each in (told, defence))
    assert after < before and defence["clean_after"]["accuracy"] > 0.7
    assert (run / "variants" / "defended" / MODEL).is_file()
