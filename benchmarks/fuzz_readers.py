"""Mutates files of every supported format and monitors the readers: `make fuzz`.

A reader may return data or refuse with its own exception. Anything else is a finding: another exception,
more than 1 GB of memory, more than 10 s of processor time, a file written elsewhere, a process started. Each
format is read in a child process that may write nowhere and start nothing. Findings: OUT/READER-FORMAT-N.bin.

Usage: python benchmarks/fuzz_readers.py [--mutations 2000] [--seed 1] [--out finds] [READER...]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import resource
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

MOST_MEMORY_MB, MOST_SECONDS = 1024, 10.0
_FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect")
# Readers start these so that they may crash: the decoder of phones' sound and TFLM's measurement of an arena.
_OUR_PROCESSES = ("phone_worker", "tflite_micro", "guard.py")
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """One to eight random changes: bits, bytes, numbers at their limits, cuts, repeats, swaps."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        if not content:
            break
        # Headers are short and matter most: half of all changes are made in the first 256 bytes.
        reach = len(content) if rng.random() < 0.5 else min(len(content), 256)
        at = int(rng.integers(reach))
        match int(rng.integers(7)):
            case 0:
                content[at] ^= 1 << int(rng.integers(8))
            case 1:
                content[at] = int(rng.integers(256))
            case 2:
                number = int(rng.choice(_INTERESTING))
                packed = struct.pack("<I" if rng.random() < 0.5 else ">I", number)
                content[at : at + 4] = packed
            case 3:
                del content[at : at + int(rng.integers(1, 64))]
            case 4:
                content[at:at] = content[at : at + int(rng.integers(1, 64))] * int(rng.integers(1, 4))
            case 5:
                del content[max(1, at) :]
            case _:
                content[at:at] = rng.bytes(int(rng.integers(1, 16)))
    return bytes(content)


def _tone(seconds: float = 0.2) -> np.ndarray:
    return (np.sin(np.arange(int(16_000 * seconds)) * 0.05) * 9000).astype(np.int16)


def _sounds() -> Iterator[tuple[str, bytes]]:
    import soundfile

    kinds = {
        "wav": ("WAV", "PCM_16"), "adpcm.wav": ("WAV", "IMA_ADPCM"), "float.wav": ("WAVEX", "FLOAT"),
        "rf64": ("RF64", "PCM_16"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"),
        "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III"), "aiff": ("AIFF", "PCM_16"),
        "au": ("AU", "PCM_16"), "caf": ("CAF", "PCM_16"), "w64": ("W64", "PCM_16"),
    }  # fmt: skip
    for name, (form, subtype) in kinds.items():
        stream = io.BytesIO()
        soundfile.write(stream, _tone(), 16_000, format=form, subtype=subtype)
        yield name, stream.getvalue()
    try:
        import av
    except ImportError:
        return
    for name, form, codec, rate_hz in (
        ("m4a", "ipod", "aac", 16_000), ("aac", "adts", "aac", 16_000), ("webm", "webm", "libopus", 48_000),
        ("3gp", "3gp", "libopencore_amrnb", 8_000), ("amr", "amr", "libopencore_amrnb", 8_000),
    ):  # fmt: skip
        stream = io.BytesIO()
        with av.open(stream, "w", format=form) as target:
            track = target.add_stream(codec, rate=rate_hz, layout="mono")
            if "amr" in codec:
                track.codec_context.bit_rate = 12_200
            resampler = av.AudioResampler(track.codec_context.format.name, "mono", rate_hz)
            frame = av.AudioFrame.from_ndarray(_tone(1.0)[None], format="s16", layout="mono")
            frame.sample_rate = 16_000
            fifo = av.AudioFifo()
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                part.pts = None
                fifo.write(part)
            while part := fifo.read(track.codec_context.frame_size or 1024, partial=True):
                target.mux(track.encode(part))
            target.mux(track.encode(None))
        yield name, stream.getvalue()


def _images() -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    from tinyml_cli.data.phone import open_heif

    open_heif()
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8))
    deep = Image.fromarray(rng.integers(0, 1023, (48, 64)).astype(np.uint16))
    files: list[tuple[str, Image.Image, str, dict[str, object]]] = [
        ("jpeg", picture, "JPEG", {}), ("progressive", picture, "JPEG", {"progressive": True}),
        ("png", picture, "PNG", {}), ("png16", deep, "PNG", {}), ("palette", picture.convert("P"), "GIF", {}),
        ("bmp", picture, "BMP", {}), ("tiff", picture, "TIFF", {"compression": "tiff_lzw"}),
        ("tiff-deflate", picture, "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("tiff-float", deep.convert("F"), "TIFF", {}), ("webp", picture, "WEBP", {}),
        ("avif", picture, "AVIF", {}), ("heic", picture, "HEIF", {}), ("jp2", picture, "JPEG2000", {}),
        ("ppm", picture, "PPM", {}), ("tga", picture, "TGA", {}), ("pcx", picture, "PCX", {}),
        ("sgi", picture, "SGI", {}), ("qoi", picture, "QOI", {}),
    ]  # fmt: skip
    for name, image, form, options in files:
        stream = io.BytesIO()
        try:
            image.save(stream, form, **options)
        except (KeyError, OSError):
            continue  # a format that this Pillow lacks
        yield name, stream.getvalue()
    yield "bomb.png", _image_bomb()


def _arrays() -> Iterator[tuple[str, bytes]]:
    values = np.arange(60.0, dtype=np.float32).reshape(3, 20)
    for name, save in (("npz", np.savez_compressed), ("stored.npz", np.savez)):
        stream = io.BytesIO()
        save(stream, x=values, y=np.arange(3))
        yield name, stream.getvalue()
    stream = io.BytesIO()
    np.save(stream, values)
    yield "npy", stream.getvalue()
    yield "bomb.npz", _array_bomb()


def _array_bomb() -> bytes:
    """An .npz that declares 32 GB and holds 4 MB in a few kB."""
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 33,)}
    np.lib.format.write_array_header_1_0(header, shape)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + bytes(1 << 22))
    return stream.getvalue()


def _image_bomb() -> bytes:
    """A PNG of 900 million pixels."""
    rows = zlib.compress(bytes(1 << 20))
    ihdr = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", ihdr), (b"IDAT", rows), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _read_sound(path: Path) -> None:
    from tinyml_cli.data.audio_file import UnreadableAudioError, length_of, read_audio, read_sound

    for reader in (read_sound, length_of, lambda path: read_audio(path, 16_000)):
        try:
            reader(path)
        except UnreadableAudioError:
            continue


def _read_image(path: Path) -> None:
    from tinyml_cli.images.image_file import UnreadableImageError, decode, read_bytes

    try:
        decode(read_bytes(path))
    except UnreadableImageError:
        return


def _read_series(path: Path) -> None:
    from tinyml_cli.data.series.read import read_series
    from tinyml_cli.data.series.sources import sources
    from tinyml_cli.errors import TinymlError
    from tinyml_cli.recipes.series import SeriesRecipe

    for motion in (True, False):
        try:
            read_series(sources([path])[0], SeriesRecipe(), motion=motion)
        except TinymlError:
            continue


def _read_arrays(path: Path) -> None:
    from tinyml_cli.array_file import UnreadableArrayError, read_array, read_arrays

    for reader in (read_array, read_arrays):
        try:
            reader(path)
        except UnreadableArrayError:
            continue


def _series() -> Iterator[tuple[str, bytes]]:
    import cbor2

    t = np.arange(80) / 100
    values = np.stack([0.4 * np.sin(7 * t), 0.2 * np.cos(5 * t), 1 + 0.1 * np.sin(3 * t)], axis=1)
    rows = [[f"{1000 * s:.0f}", *(f"{v:.4f}" for v in row)] for s, row in zip(t, values, strict=True)]
    table = "\n".join(",".join(row) for row in [["t_ms", "ax", "ay", "az"], *rows]) + "\n"
    yield "csv", table.encode()
    european = table.replace(",", ";").replace(".", ",")
    yield "european.csv", european.encode("utf-16")
    dated = [f"2024-01-31T10:00:00.{10 * i:03d}+01:00;{';'.join(row[1:])}" for i, row in enumerate(rows)]
    yield "dated.csv", "\r\n".join(["time;accX (g);accY (g);accZ (g)", *dated]).encode()
    yield "monitor.log", "".join(f"ax:{x},ay:{y},az:{z}\n" for _, x, y, z in rows).encode()
    names = [{"name": f"acc{axis}", "units": "g"} for axis in "XYZ"]
    payload = {"interval_ms": 10, "sensors": names, "values": values.tolist()}
    document = {"protected": {"ver": "v1"}, "signature": "0", "payload": payload}
    yield "json", json.dumps(document).encode()
    yield "cbor", cbor2.dumps(document)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Accelerometer.csv", table)
    yield "zip", stream.getvalue()


_VARIABLES: dict[str, bytes] = {}
"""Path -> bytes of the sample SavedModel's other files."""


def _models() -> Iterator[tuple[str, bytes]]:
    # In a process of its own: TensorFlow's threads do not live on in those that are forked here.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        files = pool.apply(_saved_models)
    _VARIABLES.update({name: data for name, data in files.items() if name.startswith("variables/")})
    yield from ((name, data) for name, data in files.items() if name not in _VARIABLES)


def _saved_models() -> dict[str, bytes]:
    from tinyml_cli.quiet_import import import_quietly

    keras, tf = import_quietly("keras"), import_quietly("tensorflow")
    layers = keras.layers
    model = keras.Sequential([keras.Input((6, 3)), layers.Conv1D(4, 3), layers.LSTM(5), layers.Dense(2)])
    plain = keras.Sequential([keras.Input((6, 3)), layers.Conv1D(4, 3), layers.Flatten(), layers.Dense(2)])
    converter = tf.lite.TFLiteConverter.from_keras_model(plain)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    rng = np.random.default_rng(0)
    converter.representative_dataset = lambda: ([rng.normal(size=(1, 6, 3)).astype("f4")] for _ in range(9))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for suffix in ("keras", "h5"):
            model.save(root / f"model.{suffix}")
        (root / "model.tflite").write_bytes(converter.convert())
        plain.export(root / "saved", verbose=False)
        (root / "saved" / "saved_model.pb").rename(root / "model.pb")
        files = {path.name: path.read_bytes() for path in sorted(root.glob("model.*"))}
        inside = [path for path in (root / "saved").rglob("*") if path.is_file()]
        return files | {path.relative_to(root / "saved").as_posix(): path.read_bytes() for path in inside}


def _read_model(path: Path) -> None:
    from tinyml_cli.errors import TinymlError
    from tinyml_cli.inspection import report
    from tinyml_cli.models.source import open_source

    with contextlib.suppress(TinymlError):
        if path.suffix == ".tflite":
            report.inspect(report.find(str(path)))
        elif path.suffix == ".pb":
            with TemporaryDirectory(dir=path.parent) as folder:
                for name, data in {"saved_model.pb": path.read_bytes(), **_VARIABLES}.items():
                    (Path(folder) / name).parent.mkdir(exist_ok=True)
                    (Path(folder) / name).write_bytes(data)
                open_source(Path(folder))
        else:
            open_source(path)


def _archives() -> Iterator[tuple[str, bytes]]:
    import tarfile

    members = {f"yes/a_nohash_{i}.wav": bytes(range(256)) * (1 + i) for i in range(3)}
    for name, method in (("zip", zipfile.ZIP_DEFLATED), ("stored.zip", zipfile.ZIP_STORED)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as package:
            for member, content in members.items():
                package.writestr(member, content)
        yield name, stream.getvalue()
    for kind in ("", "gz", "bz2", "xz"):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=f"w:{kind}") as tar:
            for member, content in members.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        yield f"tar.{kind}" if kind else "tar", stream.getvalue()
    yield "bomb.zip", _array_bomb()


def _read_archive(path: Path) -> None:
    from tinyml_cli.download.download_unpack import unpack
    from tinyml_cli.errors import TinymlError

    with TemporaryDirectory(dir=path.parent) as folder, contextlib.suppress(TinymlError):
        unpack(path, Path(folder), 16 << 20)


Samples = Callable[[], Iterator[tuple[str, bytes]]]
READERS: dict[str, tuple[Samples, Callable[[Path], None]]] = {
    "sound": (_sounds, _read_sound),
    "images": (_images, _read_image),
    "arrays": (_arrays, _read_arrays),
    "series": (_series, _read_series),
    "archives": (_archives, _read_archive),
    "models": (_models, _read_model),
}


def _forbid(scratch: Path) -> None:
    """From here on Python of this process may write into `scratch` alone and start nothing."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        is_ours = event == "subprocess.Popen" and any(name in str(arguments[1]) for name in _OUR_PROCESSES)
        if event in _FORBIDDEN and not is_ours:
            raise RuntimeError(f"a file made the reader call {event}")
        if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            place = str(arguments[0])
            if not place.startswith((str(scratch), "/dev/null")):
                raise RuntimeError(f"a file made the reader write {place}")

    sys.addaudithook(hook)


def _worker(reader: str, sample: str, data: bytes, seeds: range, connection: object, scratch: str) -> None:
    read, place = READERS[reader][1], Path(scratch) / f"a.{sample.rpartition('.')[2]}"
    # Whatever libraries print of damaged files is of no interest here.
    sys.stderr = (Path(scratch) / "stderr").open("w")
    import os

    os.dup2(sys.stderr.fileno(), 2)
    tempfile.tempdir = scratch
    place.write_bytes(data)
    read(place)  # imports what it needs
    connection.send(("ready", b""))  # type: ignore[attr-defined]
    _forbid(Path(scratch))
    limit = 4 * MOST_MEMORY_MB << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for seed in seeds:
        content = mutated(data, np.random.default_rng([seed]))
        connection.send(("begin", content))  # type: ignore[attr-defined]
        place.write_bytes(content)
        started, reason = time.process_time(), ""
        try:
            read(place)
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
        seconds = time.process_time() - started
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        if seconds > MOST_SECONDS:
            reason = reason or f"{seconds:.1f} s"
        if memory_mb > MOST_MEMORY_MB:
            reason = reason or f"{memory_mb} MB"
        connection.send(("end", reason))  # type: ignore[attr-defined]
        if memory_mb > MOST_MEMORY_MB:
            return  # the peak of a process never falls: go on in another
    connection.send(("done", b""))  # type: ignore[attr-defined]


def fuzz(reader: str, sample: str, data: bytes, mutations: int, seed: int) -> Iterator[tuple[bytes, str]]:
    """(content, reason) of each mutation of a file that its reader does not take as it should."""
    first, last = seed * 1_000_000, seed * 1_000_000 + mutations
    context = multiprocessing.get_context("fork")
    while first < last:
        here, there = context.Pipe()
        with TemporaryDirectory(prefix="tinyml-fuzz-") as scratch:
            child = context.Process(
                target=_worker, args=(reader, sample, data, range(first, last), there, scratch)
            )
            child.start()
            there.close()
            content = b""
            with contextlib.suppress(EOFError):
                here.recv()  # what it imports may take a minute
            while True:
                if not here.poll(6 * MOST_SECONDS):
                    child.kill()
                    yield content, "no answer"
                    first += 1
                    break
                try:
                    kind, value = here.recv()
                except EOFError:
                    child.join()
                    if content:
                        yield content, f"the process ended with {child.exitcode}"
                        first += 1
                    break
                if kind == "begin":
                    content = value
                elif kind == "end":
                    first += 1
                    if value:
                        yield content, value
                    content = b""
                else:
                    break
            child.join(5)
            child.kill()


def main() -> int:
    """Fuzzes the readers that are named; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}")
    parser.add_argument("--mutations", type=int, default=2000, help="of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--only", default="", help="one format, such as m4a")
    options = parser.parse_args()
    finds, tried = [], 0
    for reader in options.readers or READERS:
        for sample, data in READERS[reader][0]():
            if options.only and sample != options.only:
                continue
            started, found, tried = time.monotonic(), 0, tried + 1
            for content, reason in fuzz(reader, sample, data, options.mutations, options.seed):
                options.out.mkdir(parents=True, exist_ok=True)
                place = options.out / f"{reader}-{sample}-{found}.bin"
                place.write_bytes(content)
                finds.append({"file": str(place), "reason": reason})
                found += 1
                print(f"  {place}: {reason}", flush=True)
            print(f"{reader} {sample}: {options.mutations} mutations, {found} finds, "
                  f"{time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
    if not tried:
        parser.error(f"no such format: {options.only}")
    print(json.dumps({"finds": finds}))
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
