"""`tinyml attack` on a run that takes bright images for a person, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run
from tests.outcomes import check as check_outcome
from tinyml_cli.files import write_arrays
from tinyml_cli.run import MODEL, MODEL_FLOAT32, MODEL_INT8, Run

FILES = ["attack-example.png", "attack.html", "attack.json", "attack.png"]


def _make(path: Path) -> Run:
    run = looking_run.make(path)
    run.file(MODEL_FLOAT32).write_bytes(looking_run.float_model())
    rng = np.random.default_rng(4)
    labels = np.arange(12) % 2
    grey = np.where(labels, 125, 82)[:, None, None, None]  # a person from 102 on
    pixels = np.clip(rng.normal(grey, 40, (12, 32, 32, 1)), 0, 255).astype(np.uint8)
    names = np.array([f"{n}" for n in range(12)])
    arrays = {"pixels": pixels, "labels": labels, "names": names, "shares": np.full(12, np.nan)}
    write_arrays(run.file("logs/held_out.npz"), arrays)
    manifest = run.manifest()
    for name in (MODEL_FLOAT32, "logs/held_out.npz"):
        run.record(manifest, name, "tinyml train")
    run.save(manifest)
    return run


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("attack") / "run").path


@pytest.fixture
def run(kept: Path, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(kept, tmp_path / "run")))


def test_scores_alone_make_a_person_of_nobody(run: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    options = ("--target", "person", "--black-box", "--steps", "20", "--snr", "40,-12", "--json")
    told = tinyml("attack", run.path, *options, cwd=tmp_path).json
    check_outcome("attack", told)
    quiet, loud = told["points"]
    assert (quiet["snr_db"], loud["snr_db"]) == (40, -12)
    assert quiet["device"]["share"] == 0 and loud["device"]["share"] == 1 and loud["device"]["n"] == 4
    assert loud["noise_device"]["share"] == 0 and loud["device"]["ci95"][0] == pytest.approx(0.51, abs=0.01)
    assert (told["method"], told["example_snr_db"]) == ("scores", -12)
    assert quiet["queries"] == loud["queries"] == 20 * 40
    assert -12 < told["snr_at_half_db"] < 40
    assert sorted(p.name for p in run.file("report").iterdir()) == FILES
    assert json.loads(run.file("report/attack.json").read_text()) == told
    example = np.asarray(Image.open(run.file("report/attack-example.png")))
    assert example.shape == (32, 32) and example.mean() > 102
    card = tinyml("card", run.path, "--json", cwd=tmp_path).json["card"]["security"]["attack"]
    assert card["points"] == told["points"] and str(tmp_path) not in json.dumps(card)
    assert "| 40 dB | 0.0 % |" in run.file("report/card.md").read_text()
    again = tinyml("attack", run.path, *options, cwd=tmp_path).json
    assert again == told
    tinyml("attack", run.path, *options[2:], cwd=tmp_path)
    sections = run.file("report/attack.html").read_text()
    assert sections.count("Under attack") == 2, "an attack of another kind takes no place of this one"
    assert sections.index("No longer reported right") < sections.index("Taken for")


def test_gradients_find_the_shortest_way(run: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="extra `train` is not installed")
    source = keras.Input((32, 32, 1))
    mean = keras.layers.GlobalAveragePooling2D()(source)
    model = keras.Model(source, keras.layers.Dense(2, activation="softmax")(mean))
    model.set_weights([np.array([[-10.0, 10.0]]), np.array([4.0, -4.0])])
    model.save(run.file(MODEL))
    manifest = run.manifest()
    run.record(manifest, MODEL, "tinyml train")
    run.save(manifest)
    tinyml("evaluate", run.path, "--json", cwd=tmp_path)
    options = ("--snr", "20,0", "--steps", "8", "--out", tmp_path / "seen.png", "--quiet")
    text = tinyml("attack", run.path, *options, cwd=tmp_path).out
    told = json.loads(run.file("report/attack.json").read_text())
    # A mean of 102 is about 20 away: 20 dB allow 4, 0 dB 40.
    assert [point["device"]["share"] for point in told["points"]] == [0, 1]
    assert told["points"][1]["noise_device"]["share"] == 0 and told["target"] is None
    assert (tmp_path / "seen.png").is_file() and f"To play or show: {tmp_path / 'seen.png'}" in text
    page = run.file("report/report.html").read_text()
    assert "Under attack" in page and "noise of the same energy" in page
    tinyml("evaluate", run.path, "--json", cwd=tmp_path)
    assert "Under attack" in run.file("report/report.html").read_text(), "an evaluation keeps it"


def _without(name: str) -> Callable[[Run], None]:
    def damage(run: Run) -> None:
        manifest = run.manifest()
        manifest.artifacts.pop(name)
        run.file(name).unlink()
        run.save(manifest)

    return damage


def _nothing(run: Run) -> None:
    """Leaves the run as it is."""


@pytest.mark.parametrize(
    ("options", "damage", "says"),
    [
        (("--target", "dog"), _nothing, "no label `dog`"),
        (("--target", "persons"), _nothing, "no label `persons`"),
        (("--snr", "loud"), _nothing, "no signal-to-noise ratio"),
        (("--snr", "20,,10"), _nothing, "no signal-to-noise ratio"),
        (("--snr", "nan"), _nothing, "no signal-to-noise ratio"),
        (("--snr", "100"), _nothing, "no signal-to-noise ratio"),
        (("--item", "none.png"), _nothing, "does not exist"),
        (("--item", "broken.png", "--black-box"), _nothing, "Cannot read the image"),
        (("--item", "."), _nothing, "is a folder"),
        (("--rooms",), _nothing, "Only sound"),
        (("--static", "--target", "person"), _nothing, "Noise is no item"),
        (("--static",), _nothing, "no label to lose"),
        (("--static", "--item", "broken.png", "--target", "person"), _nothing, "exclude each other"),
        (("--item", "broken.png", "--universal"), _nothing, "One item is too few"),
        (("--black-box", "--defend"), _nothing, "needs gradients"),
        (("--black-box", "--out", "a.wav"), _nothing, "not the name of a .png file"),
        (("--items", "0"), _nothing, "--items"),
        (("--on", "nano"), _nothing, "nano"),
        (("--item", "broken.png", "--black-box", "--out", "broken.png"), _nothing, "would replace the item"),
        ((), _nothing, "`model.keras` is missing"),
        ((), _without("logs/held_out.npz"), "`logs/held_out.npz` is missing"),
        ((), _without(MODEL_INT8), "`model_int8.tflite` is missing"),
        (("--data", "empty", "--black-box"), _nothing, ""),
    ],
)
def test_what_cannot_be_attacked_leaves_nothing(
    run: Run,
    tinyml: Tinyml,
    tmp_path: Path,
    options: tuple[str, ...],
    damage: Callable[[Run], None],
    says: str,
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "empty").mkdir()
    damage(run)
    before = sorted(tmp_path.rglob("*"))
    error = tinyml("attack", run.path, *options, "--json", cwd=tmp_path, code=2).json["error"]
    assert says in error["what"] and error["next_step"] and "\n" not in error["what"]
    assert sorted(tmp_path.rglob("*")) == before


def test_items_that_the_board_gets_wrong_are_not_attacked(run: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    with np.load(run.file("logs/held_out.npz")) as archive:
        arrays = dict(archive)
    arrays["labels"] = 1 - arrays["labels"]
    write_arrays(run.file("logs/held_out.npz"), arrays)
    manifest = run.manifest()
    run.record(manifest, "logs/held_out.npz", "tinyml train")
    run.save(manifest)
    error = tinyml("attack", run.path, "--black-box", "--json", cwd=tmp_path, code=2).json["error"]
    assert "of 12 items, 12 will not do" in error["what"]


def test_a_flat_picture_hides_nothing_and_is_no_defect(run: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    Image.new("L", (32, 32), 60).save(tmp_path / "flat.png")
    options = (
        "--item",
        "flat.png",
        "--target",
        "person",
        "--black-box",
        "--steps",
        "2",
        "--snr",
        "0",
        "--json",
    )
    (point,) = tinyml("attack", run.path, *options, cwd=tmp_path).json["points"]
    assert point["device"]["share"] == point["noise_device"]["share"] == 0
    assert np.asarray(Image.open(run.file("report/attack-example.png"))).tolist() == [[60] * 32] * 32


def test_a_task_without_labels_is_refused(tinyml: Tinyml, tmp_path: Path) -> None:
    sine = sine_run.make(tmp_path / "run")
    error = tinyml("attack", sine.path, "--json", cwd=tmp_path, code=2).json["error"]
    assert "cannot be attacked" in error["what"]
