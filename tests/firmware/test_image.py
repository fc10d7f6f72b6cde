"""The image library in C against its numpy twin, and hysteresis over frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.firmware.native import compile_harness, run
from tinyml_cli.features import image
from tinyml_cli.features.image_settings import FrameFormat, PixelTransform

GOLDEN = Path(__file__).parents[1] / "golden" / "image_resampler.npz"
PLAIN = PixelTransform(65536, -128 * 65536 + 32768, 16)
FORMATS: dict[FrameFormat, int] = {"grey": 0, "rgb565": 1}


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("image", "image")


@pytest.fixture(scope="module")
def presence_program() -> Path:
    return compile_harness("presence", "image")


def on_device(
    program: Path,
    frame: bytes,
    width: int,
    height: int,
    frame_format: int,
    size: int,
    channels: int,
    transform: PixelTransform = PLAIN,
) -> np.ndarray | None:
    head = np.array([width, height, frame_format, size, channels, *transform, 1], "<i4").tobytes()
    answer = run(program, stdin=head + frame)
    if answer == b"n":
        return None
    assert answer[:1] == b"y"
    return np.frombuffer(answer[1:], np.int8).reshape(size, size, channels)


def on_host(frame: bytes, width: int, height: int, form: FrameFormat, size: int, channels: int) -> np.ndarray:
    return image.to_input_size(image.unpack_frame(frame, width, height, form), size, channels)


@pytest.mark.parametrize("frame_format", ["grey", "rgb565"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(176, 144, 96), (176, 144, 48), (160, 120, 96), (31, 47, 96), (64, 64, 64), (1, 1, 16)],
)
def test_device_and_host_give_the_same_bytes(
    program: Path, frame_format: FrameFormat, channels: int, width: int, height: int, size: int
) -> None:
    rng = np.random.default_rng([width, height, size, channels])
    frame = rng.integers(0, 256, width * height * (1 + FORMATS[frame_format]), np.uint8).tobytes()
    transform = image.pixel_transform(0.0061, -3, -1.0, 1.0)
    pixels = on_host(frame, width, height, frame_format, size, channels)
    device = on_device(program, frame, width, height, FORMATS[frame_format], size, channels, transform)
    assert device is not None
    np.testing.assert_array_equal(device, image.quantize_pixels(pixels, transform))


def test_golden_frames_keep_their_values(program: Path) -> None:
    with np.load(GOLDEN) as golden:
        for form in FORMATS:
            frame = golden[f"{form}_frame"].tobytes()
            for channels in (1, 3):
                expected = golden[f"{form}_{channels}"]
                np.testing.assert_array_equal(on_host(frame, 176, 144, form, 96, channels), expected)
                device = on_device(program, frame, 176, 144, FORMATS[form], 96, channels)
                assert device is not None
                np.testing.assert_array_equal(device.astype(int) + 128, expected)


def test_the_extremes_of_sums_do_not_overflow(program: Path) -> None:
    frame = bytes([255]) * (1024 * 1024)
    device = on_device(program, frame, 1024, 1024, 0, 16, 1)
    assert device is not None
    assert (device == 127).all()


@pytest.mark.parametrize(
    ("width", "height", "frame_format", "size", "channels"),
    [
        (0, 144, 0, 96, 1),
        (176, 0, 0, 96, 1),
        (1025, 10, 0, 96, 1),
        (10, 65535, 0, 96, 1),
        (176, 144, 2, 96, 1),
        (176, 144, 0, 0, 1),
        (176, 144, 0, 1025, 1),
        (176, 144, 0, 96, 2),
        (176, 144, 0, 96, 0),
        (176, 144, 0, 96, 4),
    ],
)
def test_hostile_sizes_are_refused(
    program: Path, width: int, height: int, frame_format: int, size: int, channels: int
) -> None:
    assert on_device(program, b"", width, height, frame_format, size, channels) is None


@pytest.mark.parametrize(
    "transform", [(-1, 0, 16), (1 << 22, 0, 16), (1, 1 << 30, 16), (1, -(1 << 30), 16), (1, 0, 25)]
)
def test_transforms_beyond_32_bits_are_refused(program: Path, transform: tuple[int, int, int]) -> None:
    assert on_device(program, b"", 8, 8, 0, 8, 1, PixelTransform(*transform)) is None


def presence(program: Path, settings: str, *scores: int) -> list[tuple[int, int, int]]:
    """Frames in which the second of two labels scores so many steps of 1/256; (changed, label, permille)."""
    rows = "\n".join(f"{127 - score} {score - 128}" for score in scores)
    output = run(program, stdin=f"{settings} -128 256000\n{rows}\n".encode()).decode()
    assert output != "refused\n"
    return [(a, b, c) for a, b, c in (map(int, line.split()) for line in output.splitlines())]


def labels(program: Path, settings: str, *scores: int) -> list[int]:
    return [label for _, label, _ in presence(program, settings, *scores)]


def test_somebody_appears_after_frames_on_and_goes_after_frames_off(presence_program: Path) -> None:
    steps = [250, 250, 10, 250, 10, 10, 10, 10]
    assert labels(presence_program, "2 0 600 400 2 3", *steps) == [0, 1, 1, 1, 1, 1, 0, 0]
    assert [row[0] for row in presence(presence_program, "2 0 600 400 2 3", *steps)] == [
        0,
        1,
        0,
        0,
        0,
        0,
        1,
        0,
    ]


def test_between_the_thresholds_nothing_changes(presence_program: Path) -> None:
    between = 120  # 469 permille
    assert labels(presence_program, "2 0 600 400 1 1", between, 250, between, between, 10, between) == [
        0,
        1,
        1,
        1,
        0,
        0,
    ]


def test_one_frame_is_not_somebody(presence_program: Path) -> None:
    assert labels(presence_program, "2 0 600 400 2 2", 250, 10, 250, 10, 250) == [0] * 5


def test_it_lasts_through_more_frames_than_its_counters_hold(presence_program: Path) -> None:
    assert labels(presence_program, "2 0 600 400 255 255", *[250] * 600, *[10] * 300) == (
        [0] * 254 + [1] * (600 - 254 + 254) + [0] * 46
    )


def test_any_label_may_be_the_background(presence_program: Path) -> None:
    assert labels(presence_program, "2 1 600 400 2 3", *[10] * 3, *[250] * 3) == [1, 0, 0, 0, 0, 1]


def test_without_a_background_every_label_is_seen_and_doubt_is_none(presence_program: Path) -> None:
    steps = [250, 250, 10, 10, *[128] * 4]
    assert presence(presence_program, "2 2 600 550 2 3", *steps) == [
        *((0, 2, 0), (1, 1, 977), (0, 1, 39), (1, 0, 957)),
        *((0, 0, 496), (0, 0, 496), (1, 2, 0), (0, 2, 0)),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        *("1 0 600 400 1 1", "2 0 400 600 1 1", "2 0 1001 400 1 1", "2 0 600 400 0 1", "2 0 600 400 1 0"),
        "2 3 600 400 1 1",
    ],
)
def test_impossible_settings_are_refused(presence_program: Path, settings: str) -> None:
    assert run(presence_program, stdin=f"{settings} -128 256000\n".encode()) == b"refused\n"
