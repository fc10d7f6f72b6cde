"""Files that declare more than they should are refused before memory is taken for them."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml_cli.array_file import UnreadableArrayError, read_array, read_arrays
from tinyml_cli.data.audio_file import UnreadableAudioError, read_sound
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.image_file import UnreadableImageError, decode
from tinyml_cli.limits import VARIABLE, decode_limit_bytes, over_limit


def test_the_limit_is_512_mb_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert decode_limit_bytes() == 512 << 20
    monkeypatch.setenv(VARIABLE, "3")
    assert decode_limit_bytes() == 3 << 20
    assert over_limit(3 << 20) == ""
    assert f"{VARIABLE}=4" in over_limit((3 << 20) + 1)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "512MB", "½", "9" * 5000])
def test_a_limit_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(TinymlError, match="not a number of megabytes"):
        decode_limit_bytes()


@pytest.mark.parametrize(
    ("mode", "size", "form"),
    [("1", (30000, 30000), "PNG"), ("RGBA", (9400, 9400), "PNG"), ("F", (9400, 9400), "TIFF")],
)
def test_a_picture_is_judged_by_its_header(mode: str, size: tuple[int, int], form: str) -> None:
    with pytest.raises(UnreadableImageError, match="the limit is 512 MB"):
        decode(_with_size(mode, size, form))


def _with_size(mode: str, size: tuple[int, int], form: str) -> bytes:
    """A small file whose header says `size`."""
    stream = io.BytesIO()
    Image.new(mode, (64, 48)).save(stream, form)
    data = stream.getvalue()
    width, height = (value.to_bytes(4, "big" if form == "PNG" else "little") for value in size)
    if form == "PNG":
        header = b"IHDR" + width + height + data[24:29]
        return data[:12] + header + zlib.crc32(header).to_bytes(4, "big") + data[33:]
    for tag, value, old in ((256, width, 64), (257, height, 48)):
        entry = tag.to_bytes(2, "little")
        at = next(i for i in range(8, len(data)) if data[i : i + 2] == entry and data[i + 8] == old)
        kind = (4).to_bytes(2, "little") + (1).to_bytes(4, "little")
        data = data[: at + 2] + kind + value + data[at + 12 :]
    return data


def test_a_sound_is_judged_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    monkeypatch.setenv(VARIABLE, "1")
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(1 << 20, np.int16), 16_000)
    with pytest.raises(UnreadableAudioError, match="2 MB of memory, but the limit is 1 MB"):
        read_sound(path)


def _npz_member(path: Path, header: dict[str, object], content: bytes, method: int) -> Path:
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x.npy", member.getvalue() + content)
    return path


def test_an_array_is_judged_by_its_header(tmp_path: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    with pytest.raises(UnreadableArrayError, match="the limit is 512 MB"):
        read_arrays(_npz_member(tmp_path / "a.npz", header, b"", zipfile.ZIP_DEFLATED))


def test_many_arrays_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(200_000, np.float32), b=np.zeros(200_000, np.float32))
    with pytest.raises(UnreadableArrayError, match="2 MB of memory"):
        read_arrays(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_named(method: int, tmp_path: Path) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (1,)}
    with pytest.raises(UnreadableArrayError, match="unsupported compression"):
        read_arrays(_npz_member(tmp_path / "a.npz", header, bytes(4), method))


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return open, (str(tmp_path / "ran"),)

    np.save(tmp_path / "a.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(UnreadableArrayError, match="Python objects"):
        read_array(tmp_path / "a.npy")
    assert not (tmp_path / "ran").exists()


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"x": np.arange(12.0).reshape(3, 4), "y": np.array("text"), "z": np.zeros((0, 5), np.int8)}
    np.savez(tmp_path / "a.npz", **arrays)
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == list(arrays)
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    np.save(tmp_path / "a.npy", np.asfortranarray(arrays["x"]))
    assert np.array_equal(read_array(tmp_path / "a.npy"), arrays["x"])
