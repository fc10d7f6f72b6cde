"""A model as a library: what is in it, and that it computes what the firmware does."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run, steady_run
from tests.engines.flatbuffer_models import Model
from tests.firmware import random_listener
from tests.tasks.wand import waved_run
from tinyml_cli.build.library import KINDS, Kind, export_library
from tinyml_cli.build.project import applications
from tinyml_cli.build.source_closure import needed_sources
from tinyml_cli.engines.export import export
from tinyml_cli.engines.freshness import Placement, exported_placement
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image import pixel_transform, quantize_pixels, to_input_size, unpack_frame
from tinyml_cli.features.motion_windows import MotionWindow, quantize
from tinyml_cli.features.signal import standardize
from tinyml_cli.files import firmware_dir
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tasks.anomaly import score
from tinyml_cli.tasks.anomaly.alarm import AlarmState
from tinyml_cli.tasks.hello.curve import HelloSettings, brightness
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

WARNINGS = "-Wall -Wextra -Werror"
MOST_FUNCTIONS, MOST_SKETCH_LINES = 10, 80
_TWO_MODELS = ("cascade", "multi_tenant")


def listening_run(path: Path) -> Run:
    recognizer = RecognizerSettings(threshold=0.4, minimum_count=1, suppression_ms=300)
    return random_listener.make(path, ["yes", "no"], 3, recognizer)


def waving_run(path: Path) -> Run:
    return waved_run.make(path, waved_run.line_model(), GestureInput())


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return listening_run(tmp_path_factory.mktemp("library") / "kws yes-no")


def built(library: Path, name: str) -> Path:
    """The program of a CMake library."""
    if shutil.which("cmake") is None or shutil.which("g++") is None:
        pytest.skip("no cmake or g++ here")
    build = library / "build"
    flags = [f"-DCMAKE_{language}_FLAGS={WARNINGS}" for language in ("C", "CXX")]
    configure = ["cmake", "-S", library, "-B", build, "-DCMAKE_BUILD_TYPE=Debug", *flags]
    for command in (configure, ["cmake", "--build", build, "-j", "2"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return build / f"{name}_host"


def lines_of(program: Path, data: np.ndarray, first: str) -> list[str]:
    done = subprocess.run([program], input=data.tobytes(), capture_output=True, check=True)
    return [line.split(" ", 1)[1] for line in done.stdout.decode().splitlines() if line.startswith(first)]


def test_sound_gives_the_features_scores_and_words_of_the_firmware(listener: Run, tmp_path: Path) -> None:
    outcome = export_library(listener, "cmake", tmp_path / "lib")
    assert outcome.name == "kws_yes_no" and outcome.header == "kws_yes_no.h"
    program = built(tmp_path / "lib", outcome.name)
    audio = random_listener.sounds(6, 4)
    manifest = listener.manifest()
    assert manifest.features is not None
    scores = np.array([line.split() for line in lines_of(program, audio, "scores")], np.int8)
    np.testing.assert_array_equal(scores, random_listener.scores(listener, audio)[1])
    rows = extract(audio, manifest.features)
    frames = manifest.features.frames(manifest.features.sample_rate_hz)
    last = rows[frames - 1 :: manifest.recognizer.inference_stride_frames]
    heard = np.array([line.split() for line in lines_of(program, audio, "features")], np.int64)
    np.testing.assert_array_equal(heard, last[: len(heard)])
    words = [line.split()[0] for line in lines_of(program, audio, "Heard")]
    assert words == [manifest.labels[each.label] for each in random_listener.heard(listener, audio)] and words


@pytest.mark.slow
def test_frames_give_the_scores_of_the_reference(tmp_path: Path) -> None:
    run = looking_run.make(tmp_path / "look")
    export_library(run, "cmake", tmp_path / "lib")
    image = run.manifest().image
    assert image is not None
    frames = np.random.default_rng(1).integers(0, 256, (5, image.frame_bytes), np.uint8)
    frames[::2] //= 4  # dark ones
    model = run.file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    transform = pixel_transform(source.scale, source.zero_point, image.low, image.high)
    shape = image.frame_width, image.frame_height, image.frame_format
    pictures = [unpack_frame(frame.tobytes(), *shape) for frame in frames]
    inputs = np.stack(
        [quantize_pixels(to_input_size(each, image.size, image.channels), transform) for each in pictures]
    )
    expected = interpret.run_int8(model, inputs, interpret.reference_runtime())
    found = lines_of(built(tmp_path / "lib", "look"), frames, "scores")
    np.testing.assert_array_equal(np.array([line.split() for line in found], np.int8), expected)


@pytest.mark.slow
def test_motion_gives_the_scores_and_gestures_of_the_reference(tmp_path: Path) -> None:
    gesture = GestureInput(input="imu", imu=waved_run.IMU, threshold=0.8)
    run = waved_run.make(tmp_path / "wave", waved_run.motion_model(), gesture)
    export_library(run, "cmake", tmp_path / "lib")
    program = built(tmp_path / "lib", "wave")
    samples = np.random.default_rng(2).integers(-2000, 2000, (900, 6)).astype(np.int16)
    samples[:, 5] += np.repeat(np.arange(-20000, 20000, 4445), 100).astype(np.int16)
    model = run.file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    motion, scores, gestures = MotionWindow(waved_run.IMU), [], []
    for at, sample in enumerate(samples, 1):
        if not motion.push(sample.tolist()):
            continue
        window = samples[None, at - waved_run.IMU.window_samples : at]
        inputs = quantize(window, waved_run.IMU, source.scale, source.zero_point)
        scores.append(interpret.run_int8(model, inputs, interpret.reference_runtime())[0])
        best = int(scores[-1].argmax())
        if best and (int(scores[-1][best]) + 128) / 256 >= gesture.threshold:
            motion.accept()
            gestures.append(waved_run.LABELS[best])
    found = [line.split() for line in lines_of(program, samples, "scores")]
    np.testing.assert_array_equal(np.array(found, np.int8), scores)
    assert [line.split()[0] for line in lines_of(program, samples, "Recognised")] == gestures and gestures


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["imu", "series", "sound"])
def test_a_machine_gives_the_scores_and_alarms_of_the_reference(
    kind: steady_run.Kind, tmp_path: Path
) -> None:
    run = steady_run.make(tmp_path / "machine", kind)
    export_library(run, "cmake", tmp_path / "lib")
    values = steady_run.recording(kind)
    model = run.file(MODEL_INT8).read_bytes()
    source, target = interpret.io_quantization(parse(model))
    of = run.manifest().anomaly
    assert of is not None and of.threshold is not None
    rows = steady_run.features(run.manifest(), values)
    inputs = standardize(rows, of.offsets, of.deviations, source.scale, source.zero_point)
    outputs = interpret.run_int8(model, inputs, interpret.reference_runtime())
    scores = (
        score.mixture_scores(outputs, of.mixture)
        if of.mixture is not None
        else score.reconstruction_scores(inputs, outputs, source, target)
    ).tolist()
    program = built(tmp_path / "lib", "machine")
    found = [line.split() for line in lines_of(program, values, "scores")]
    np.testing.assert_array_equal(np.array(found, np.int8), outputs)
    assert lines_of(program, values, "permille") == [str(1000 * s // of.threshold.score) for s in scores]
    state = AlarmState(of.alarm)
    changes = [state.on for s in scores if state.push(s, of.threshold.score)]
    said = subprocess.run([program], input=values.tobytes(), capture_output=True, check=True).stdout.decode()
    assert re.findall("Alarm|All clear", said) == ["Alarm" if on else "All clear" for on in changes] != []


@pytest.mark.slow
def test_a_curve_gives_the_light_of_the_reference(tmp_path: Path) -> None:
    run = sine_run.make(tmp_path / "sine")
    export_library(run, "cmake", tmp_path / "lib")
    model = run.file(MODEL_INT8).read_bytes()
    source, target = interpret.io_quantization(parse(model))
    period = run.manifest().settings_as(HelloSettings).period()
    inputs = interpret.quantize_values(period, source).reshape(-1, 1)
    outputs = interpret.run_int8(model, inputs, interpret.reference_runtime())
    none = np.zeros(0, np.int16)
    program = built(tmp_path / "lib", "sine")
    assert lines_of(program, none, "scores") == [str(y) for y in outputs[:, 0]]
    assert lines_of(program, none, "light") == [str(each) for each in brightness(outputs[:, 0], target)]


@pytest.mark.slow
def test_a_library_that_takes_strokes_compiles_without_a_warning(tmp_path: Path) -> None:
    export_library(waving_run(tmp_path / "run"), "cmake", tmp_path / "lib")
    built(tmp_path / "lib", "run")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_what_its_tool_looks_for(kind: Kind, listener: Run, tmp_path: Path) -> None:
    export_library(listener, kind, tmp_path / "lib", "my_words")
    files = {path.relative_to(tmp_path / "lib").as_posix() for path in (tmp_path / "lib").rglob("*.*")}
    own = {
        "arduino": {"library.properties", "examples/Microphone/Microphone.ino"},
        "platformio": {
            "library.json",
            "examples/Microphone/Microphone.ino",
            "examples/Microphone/platformio.ini",
        },
        "cmake": {"CMakeLists.txt", "examples/host/main.cpp"},
    }[kind]
    assert own | {"src/my_words.h", "src/parts/network.c", "README.md"} <= files
    assert not [name for name in files if "tflm" in name or "session" in name]
    texts = [path.read_text() for path in (tmp_path / "lib").rglob("*.*")]
    assert not [text for text in texts if "MODEL_NAME" in text or "{{" in text]


def test_arduino_gets_an_archive_that_is_equal_each_time(listener: Run, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        export_library(listener, "arduino", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        properties = archive.read("kws_yes_no/library.properties").decode()
    assert {name.split("/")[0] for name in names} == {"kws_yes_no"}  # the IDE wants one folder
    assert "name=kws_yes_no\n" in properties and "includes=kws_yes_no.h\n" in properties


MAKERS = {
    "ear": listening_run,
    "hand": waving_run,
    "eye": looking_run.make,
    "curve": sine_run.make,
    "moving machine": lambda path: steady_run.make(path, "imu"),
    "sounding machine": lambda path: steady_run.make(path, "sound"),
    "series": lambda path: steady_run.make(path, "series"),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_arduino_s_rules_for_libraries_are_kept(make: Callable[[Path], Run], tmp_path: Path) -> None:
    """Arduino CLI's library specification, and the rules of arduino-lint for library.properties."""
    export_library(make(tmp_path / "run"), "arduino", tmp_path / "lib", "my_model")
    lines = (tmp_path / "lib" / "library.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if line)
    asked = {
        "name",
        "version",
        "author",
        "maintainer",
        "sentence",
        "paragraph",
        "category",
        "url",
        "architectures",
    }
    assert asked <= properties.keys() <= asked | {"includes", "depends"}
    assert all(value and value == value.strip() for value in properties.values())
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}", properties["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    assert urlparse(properties["url"]).scheme == "https"
    assert not re.search("arduino|library", properties["sentence"], re.IGNORECASE)
    assert (tmp_path / "lib" / "src" / properties["includes"]).is_file()
    for sketch in (tmp_path / "lib" / "examples").rglob("*.ino"):
        assert sketch.stem == sketch.parent.name
    for path in (tmp_path / "lib").rglob("*"):  # the IDE's: no blanks, no .exe, no links
        assert re.fullmatch(r"[\w.-]{1,63}", path.name, re.ASCII) and not path.is_symlink()


def test_any_model_has_a_library(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    model = shared / "models" / "ad01_int8.tflite"
    if not model.is_file():
        pytest.skip(f"there is no {model}")
    outcome = export_library(open_run(model), "arduino", tmp_path / "ad.zip", "ad")
    assert outcome.app == "bench" and outcome.sketch == "Model"


def test_a_new_export_keeps_the_placement_of_the_last(tmp_path: Path) -> None:
    run = listening_run(tmp_path / "run")
    export(run, "aot", Placement("caller"))
    run.file("export/aot/network.c").unlink()
    export_library(run, "cmake", tmp_path / "library")
    assert exported_placement(run.manifest(), "aot") == Placement("caller")


def test_sketches_and_functions_are_few_and_short() -> None:
    library = firmware_dir() / "library"
    for sketch in library.rglob("*.ino"):
        assert len(sketch.read_text().splitlines()) < MOST_SKETCH_LINES, sketch
    header = (library / "tinyml_library.h").read_text()
    own = dict(re.findall(r"#if defined\(TINYML_APP_(\w+)\)\n(/\*.*?)#endif", header, re.DOTALL))
    assert {name.lower() for name in own} == set(applications()) - {"bench", "learner", *_TWO_MODELS}
    count = lambda text: len(re.findall(r"^\w[\w *]*\btinyml_\w+\(", text, re.MULTILINE))  # noqa: E731
    every = count(header) - sum(map(count, own.values()))
    assert all(every + count(text) <= MOST_FUNCTIONS for text in own.values())


def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    tinyml: Tinyml, listener: Run, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    (tmp_path / "old.zip").write_text("mine")
    run = str(listener.path)
    for arguments, said in (
        (("--out", "full"), "something already"),
        (("--out", "old.zip"), "something already"),
        (("--name", "my-words"), "cannot be the name"),
        (("--name", "1st"), "cannot be the name"),
        (("--name", "String"), "a header"),
        (("--name", "nul"), "a device"),
        (("--out", "lib.tar.gz"), "ZIP archive"),
        (("--for", "arduno"), "arduino"),
    ):
        answer = tinyml("export-library", run, *arguments, cwd=tmp_path, code=2)
        assert said in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "old.zip"]
    assert (full / "mine.txt").read_text() == "mine"


def test_an_application_without_a_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyml_cli.build.library.default_app", lambda task: "cascade")
    with pytest.raises(TinymlError, match="no library for the application `cascade`"):
        export_library(sine_run.make(tmp_path / "run"), "arduino", tmp_path / "lib")
    assert not (tmp_path / "lib").exists()


def test_a_run_s_name_becomes_one_that_a_library_can_have(listener: Run, tmp_path: Path) -> None:
    for given, wanted in (
        ("test", "test_model"),
        ("2nd try", "model_2nd_try"),
        ("-.-", "model"),
        ("Aux-", "Aux_model"),
        ("a" * 90, "a" * 57),
    ):
        run = Run(Path(shutil.copytree(listener.path, tmp_path / "runs" / given)))
        assert export_library(run, "arduino", tmp_path / f"{wanted}.zip").name == wanted


def test_a_model_of_two_inputs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    model = Model()
    a, b, y = (model.tensor((1, 4)) for _ in range(3))
    model.operator("ADD", [a, b], [y], "AddOptions")
    (tmp_path / "two.tflite").write_bytes(model.build([a, b], [y]))
    with pytest.raises(TinymlError, match="2 inputs"):
        export_library(open_run(tmp_path / "two.tflite"), "arduino", tmp_path / "two.zip")


def test_sources_bring_what_they_call_and_include() -> None:
    available = {
        "a.h": "int declared(int x);\nint other(void);\n",
        "a.c": '#include "a.h"\nint declared(int x) {\n  return helper(x);\n}\n',
        "b.c": "int other(void) {\n  return 1;\n}\n",
        "c.c": "int\nhelper(int x)\n{\n  return x; /* never unused() */\n}\n",
        "d.c": "int unused(void) { return 0; }\n",
        "k.h": '#include "l.h"\n',
        "k.cpp": '#include "k.h"\n',
        "l.h": "",
    }
    first = {"main.cpp": '#include "a.h"\n#include "k.h"\nint main() { return declared(1); }\n'}
    assert set(needed_sources(first, available)) == {"main.cpp", "a.h", "a.c", "c.c", "k.h", "k.cpp", "l.h"}
