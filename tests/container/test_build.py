"""tinyml container: images from bases of each kind, equal bytes from equal inputs, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import outcomes
from tests.conftest import Answer, Tinyml
from tests.container.conftest import Wheel, make_base
from tinyml_cli.container import base as bases
from tinyml_cli.container import oci, own_package, packages
from tinyml_cli.container.contents import PACKAGES, ImageTarget
from tinyml_cli.documents import parse_json

TARGET = ImageTarget("/usr/bin/python3", 11, 36, "x86_64", "amd64")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="images are written on Linux and macOS")


def _files(image: Path) -> dict[str, tarfile.TarInfo]:
    """What a container of an image sees: read by the specification, every hash checked."""
    found: dict[str, tarfile.TarInfo] = {}
    with bases.archive_at(image) as archive:
        layout = oci.Layout.at(image, archive)
        assert layout is not None
        _, manifest, config = layout.image("amd64")
        for layer, diff_id in zip(manifest.layers, config.rootfs.diff_ids, strict=True):
            copied = io.BytesIO()
            layout.copy(layer, copied)
            tar = gzip.decompress(copied.getvalue())
            assert f"sha256:{hashlib.sha256(tar).hexdigest()}" == diff_id
            with tarfile.open(fileobj=io.BytesIO(tar)) as members:
                found |= {each.name.removeprefix("./"): each for each in members}
    return found


def _build(tinyml: Tinyml, base: Path, out: str, code: int = 0) -> Answer:
    return tinyml("container", "build", "--base", base, "--out", out, "--json", cwd=base.parent, code=code)


def _tar(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        archive.add(folder, ".")
    return path


@pytest.fixture
def image(tinyml: Tinyml, base: Path, small: None) -> dict[str, Any]:
    found = _build(tinyml, base, "image.tar").json
    outcomes.check("container build", found)
    return dict(found)


def test_an_image_holds_base_packages_and_tinyml_and_runs_without_rights(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    files = _files(tmp_path / "image.tar")
    for name in ("usr/bin/qemu-system-arm", "opt/tinyml/bin/tinyml"):
        assert name in files
    site = "opt/tinyml/lib/python3.13/site-packages/"
    assert site + "pinned.json" in files and site + "tinyml_cli/main.py" in files
    assert files["bin"].linkname == "usr/bin"
    assert files["opt/tinyml/bin/tinyml"].mode == 0o755
    assert {each.uid for name, each in files.items() if name not in ("home/tinyml", "work")} == {0}
    assert {(files[name].uid, files[name].mode) for name in ("home/tinyml", "work")} == {(1000, 0o1777)}
    with bases.archive_at(tmp_path / "image.tar") as archive:
        _, _, config = oci.Layout(tmp_path, archive).image("amd64")
    assert (config.config.user, config.config.entrypoint) == ("1000:1000", ["tinyml"])
    assert image["python"] == "3.13" and not image["bytecode"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_skopeo_reads_it(tmp_path: Path, image: dict[str, Any]) -> None:
    said = subprocess.run(
        ["skopeo", "inspect", image["reference"]], capture_output=True, check=True, cwd=tmp_path
    )
    found = json.loads(said.stdout)
    assert found["Digest"] == image["digest"]
    assert found["Layers"] == [f"sha256:{layer['digest']}" for layer in image["layers"]]


def test_equal_inputs_give_equal_images_whatever_their_form(
    tinyml: Tinyml, tmp_path: Path, base: Path, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "another cache"))
    again = _build(tinyml, base, "again").json
    assert (again["digest"], again["layers"]) == (image["digest"], image["layers"])
    assert (tmp_path / "again" / "oci-layout").is_file()
    kept = (tmp_path / "image.tar").read_bytes()
    _build(tinyml, base, "image.tar")  # one of its own is replaced
    assert (tmp_path / "image.tar").read_bytes() == kept
    tar, packed = (_tar(base, tmp_path / name) for name in ("base.tar", "base.tar.gz"))
    assert _build(tinyml, tar, "t").json["digest"] == _build(tinyml, packed, "z").json["digest"]


def _oci_base(tmp_path: Path, *tars: bytes, environment: tuple[str, ...] = ()) -> Path:
    layout = oci.LayoutWriter(tmp_path / "base")
    written = []
    for tar in tars:
        from tinyml_cli.container.layers import compress

        layer = compress(io.BytesIO(tar), layout.new_blob(), len(tar), "test")
        layout.keep(layer.digest)
        written.append(layer)
    settings = {"architecture": "amd64", "os": "linux", "config": {"Env": list(environment)}}
    layout.finish(written, settings, "base")
    return tmp_path / "base"


def _layer(*names: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return made.getvalue()


def test_layers_of_an_image_are_kept_and_its_whiteouts_heeded(
    tinyml: Tinyml, tmp_path: Path, base: Path, small: None
) -> None:
    rootfs = _tar(base, tmp_path / "rootfs.tar").read_bytes()
    given = _oci_base(tmp_path, rootfs, _layer("usr/bin/more"), environment=("PATH=/usr/bin", "A=b=c"))
    found = _build(tinyml, given, "image.tar").json
    assert len(found["layers"]) == 4
    assert "usr/bin/more" in _files(tmp_path / "image.tar")
    with bases.archive_at(tmp_path / "image.tar") as archive:
        _, _, config = oci.Layout(tmp_path, archive).image("amd64")
    assert {"A=b=c", "PATH=/opt/tinyml/bin:/usr/bin"} <= set(config.config.environment)
    again = _build(tinyml, tmp_path / "image.tar", "twice.tar", code=2)
    assert "holds tinyml already" in again.json["error"]["what"]
    shutil.rmtree(given)
    _oci_base(tmp_path, rootfs, _layer("usr/bin/.wh.g++"))
    assert "lacks what Debian calls g++" in _build(tinyml, given, "image2.tar", code=2).json["error"]["what"]
    shutil.rmtree(given)
    _oci_base(tmp_path, rootfs, _layer("usr/bin/.wh..wh..opq", "usr/bin/python3"))
    assert "qemu-system-arm" in _build(tinyml, given, "image2.tar", code=2).json["error"]["what"]


def _break_python(base: Path) -> None:
    shutil.rmtree(base)
    make_base(base, python_minor=9)


def _break_library(base: Path) -> None:
    (base / "usr/lib/x86_64-linux-gnu/libc.so.6").unlink()


def _break_newlib(base: Path) -> None:
    (base / "usr/lib/arm-none-eabi/lib/nano.specs").unlink()


def _break_link(base: Path) -> None:
    (base / "usr/bin/python3").unlink()
    (base / "usr/bin/python3").symlink_to("python3")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_break_python, "Python 3.9; tinyml needs 3.11"),
        (_break_library, "no GNU C library"),
        (_break_newlib, "lacks what Debian calls libnewlib-arm-none-eabi"),
        (_break_link, "lacks what Debian calls python3"),
        (lambda base: shutil.rmtree(base / "usr"), "lacks"),
        (lambda base: (base / "etc/passwd").write_text("tinyml:x:7:7::/:\n"), "whose number is not 1000"),
    ],
)
def test_a_base_that_cannot_hold_tinyml_is_refused_before_anything_is_written(
    tinyml: Tinyml, base: Path, small: None, damage: Any, said: str
) -> None:
    damage(base)
    before = sorted(base.parent.iterdir())
    assert said in _build(tinyml, base, "image.tar", code=2).json["error"]["what"]
    assert sorted(base.parent.iterdir()) == before


def test_nothing_of_the_users_is_replaced(tinyml: Tinyml, tmp_path: Path, base: Path, small: None) -> None:
    for name in ("notes.tar", "notes"):
        (tmp_path / name).write_text("mine")
        assert "lies there" in _build(tinyml, base, name, code=2).json["error"]["what"]
        assert (tmp_path / name).read_text() == "mine"
    assert "in its base" in _build(tinyml, base, "rootfs/image.tar", code=2).json["error"]["what"]
    _build(tinyml, base, "image")
    (tmp_path / "image/notes").write_text("mine")
    assert "lies there" in _build(tinyml, base, "image", code=2).json["error"]["what"]
    inside = base.rename(tmp_path / "image/rootfs")
    assert "base lies where" in _build(tinyml, inside, "../image", code=2).json["error"]["what"]
    assert (tmp_path / "image/notes").read_text() == "mine"
    assert "--base" in tinyml("container", "build", cwd=tmp_path, code=2).err


def test_damaged_bases_are_errors(tinyml: Tinyml, tmp_path: Path, base: Path, small: None) -> None:
    rootfs = _tar(base, tmp_path / "rootfs.tar").read_bytes()
    image = _oci_base(tmp_path, rootfs)
    packed = gzip.compress(rootfs)
    for number, content in enumerate(
        (b"", b"text", rootfs[:3000], packed[: len(packed) // 2], b"\xfd7zXZ\0bad")
    ):
        path = tmp_path / f"bad{number}.tar"
        path.write_bytes(content)
        _build(tinyml, path, "image.tar", code=2)
    for blob in sorted((image / "blobs/sha256").iterdir()):
        kept = blob.read_bytes()
        for content in (kept[:-1], kept[:40] + bytes([kept[40] ^ 1]) + kept[41:], b"{}"):
            blob.write_bytes(content)
            assert "damaged" in _build(tinyml, image, "image.tar", code=2).json["error"]["what"]
        blob.unlink()
        assert "missing" in _build(tinyml, image, "image.tar", code=2).json["error"]["what"]
        blob.write_bytes(kept)
    for text in ("", "[]", '{"schemaVersion": 2}', '{"schemaVersion": 2, "manifests": []}'):
        (image / "index.json").write_text(text)
        _build(tinyml, image, "image.tar", code=2)
    assert not (tmp_path / "image.tar").exists()


def _with_entry(base: Path, name: str, kind: bytes, link: str = "") -> Path:
    path = _tar(base, base.with_suffix(".tar"))
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        archive.addfile(info)
    return path


@pytest.mark.parametrize("name", ["../x", "etc/../../x", "/../x", ".."])
def test_an_entry_outside_the_image_is_refused(tinyml: Tinyml, base: Path, small: None, name: str) -> None:
    for entry in ((name, tarfile.REGTYPE), ("etc/x", tarfile.LNKTYPE, name)):
        path = _with_entry(base, *entry)
        assert "leads out" in _build(tinyml, path, "image.tar", code=2).json["error"]["what"]


@pytest.mark.parametrize("name", ["etc/passwd", "usr/lib/x86_64-linux-gnu/libc.so.6"])
def test_a_file_that_is_looked_into_is_read_through_hard_links_or_refused(
    tinyml: Tinyml, tmp_path: Path, base: Path, small: None, name: str
) -> None:
    (base / "a").hardlink_to(base / name)  # comes first
    first, second = (tmp_path / form for form in ("image.tar", "again.tar"))
    for given, out in ((base, first), (_tar(base, tmp_path / "rootfs.tar"), second)):
        _build(tinyml, given, out.name)
    with tarfile.open(tmp_path / "rootfs.tar") as archive:
        assert archive.getmember(f"./{name}").islnk()
    assert "etc/passwd" in _files(second)
    for kind, link in (
        (tarfile.SYMTYPE, "other"),
        (tarfile.CHRTYPE, ""),
        (tarfile.LNKTYPE, "etc/none"),
        (tarfile.DIRTYPE, ""),
    ):
        path = _with_entry(base, name, kind, link)
        assert "is not read" in _build(tinyml, path, "bad.tar", code=2).json["error"]["what"]


def test_a_failure_in_the_middle_leaves_the_image_before(
    tinyml: Tinyml, tmp_path: Path, base: Path, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (tmp_path / "image.tar").read_bytes()
    names = sorted(tmp_path.iterdir())

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    for place in ("own_package.stage", "packages.stage_layer", "oci.LayoutWriter.finish"):
        with monkeypatch.context() as patch:
            patch.setattr(f"tinyml_cli.container.{place}", full)
            assert "space" in _build(tinyml, base, "image.tar", code=2).json["error"]["what"]
    assert (tmp_path / "image.tar").read_bytes() == before
    assert sorted(tmp_path.iterdir()) == names


def test_packages_are_pinned_for_the_bases_computer() -> None:
    here = dict(_pinned(packages.requirements(TARGET)))
    assert {"tensorflow-cpu", "tflite-micro", "numpy", "platformio", "typer"} <= here.keys()
    assert not {"tensorflow", "pytest", "colorama-win"} & here.keys()
    assert all("--hash=sha256:" in hashes for hashes in here.values())
    elsewhere = dict(
        _pinned(packages.requirements(ImageTarget("/usr/bin/python3", 13, 41, "aarch64", "arm64")))
    )
    assert "tensorflow" in elsewhere and not {"tensorflow-cpu", "tflite-micro"} & elsewhere.keys()


def _pinned(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, hashes = line.partition("==")
        yield name, hashes


def test_both_locks_name_the_same_versions(repository: Path) -> None:
    def versions(path: Path) -> set[str]:
        return {line.split(" ")[0] for line in path.read_text().splitlines() if "==" in line.split(" ")[0]}

    image = versions(repository / "tinyml_cli/container/requirements.lock")
    assert len(image) > 80
    assert image <= versions(repository / "requirements.lock")


_ONE = {
    "one.py": "def main(): return 3",
    "one-1.data/scripts/old": "#!python\n",
    "one-1.dist-info/entry_points.txt": "[console_scripts]\none = one:main\n",
}


def test_wheels_become_a_virtual_environment(
    tmp_path: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "requirements", lambda target: [wheel("one-1", _ONE)])
    monkeypatch.setattr(packages, "_download", lambda *given: list((tmp_path / "wheels").iterdir()))
    with tarfile.open(_layer_at(tmp_path / "first")) as archive:
        names = archive.getnames()
    assert {"opt/tinyml/bin/one", "opt/tinyml/bin/old", "opt/tinyml/pyvenv.cfg"} <= set(names)
    assert "opt/tinyml/lib/python3.11/site-packages/__pycache__/one.cpython-311.pyc" in names


@pytest.mark.slow
def test_pip_downloads_only_what_is_pinned(
    tmp_path: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    pinned = wheel("one-1", _ONE)
    monkeypatch.setattr(packages, "requirements", lambda target: [pinned])
    first = _layer_at(tmp_path / "first").read_bytes()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert _layer_at(tmp_path / "again").read_bytes() == first  # from the cache
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    for wrong in (pinned.replace("one==1", "one==2"), pinned[:-8] + "00000000"):
        monkeypatch.setattr(packages, "requirements", lambda target, wrong=wrong: [wrong])
        with pytest.raises(bases.TinymlError, match="cannot be downloaded"):
            _layer_at(tmp_path / "none")


def test_tinyml_is_laid_out_as_its_wheel(tmp_path: Path) -> None:
    own_package.stage(tmp_path, TARGET, "root:x:0:0::/root:/bin/sh\n")
    site = tmp_path / packages.site_packages(TARGET)
    for name in (
        *("main.py", "_firmware/src/main.cpp", "_configs", "_course/index.md", "boards/sim.yaml"),
        *("container/requirements.lock", "pages/templates"),
    ):
        assert (site / "tinyml_cli" / name).exists(), name
    assert not list(site.rglob("__pycache__"))
    assert "from tinyml_cli.start import main" in (tmp_path / "opt/tinyml/bin/tinyml").read_text()


def _layer_at(path: Path) -> Path:
    packages.layer(TARGET, path)
    return path


def test_the_containerfile_names_what_a_base_needs(tinyml: Tinyml, tmp_path: Path) -> None:
    found = tinyml("container", "base", "--json", cwd=tmp_path).json
    outcomes.check("container base", found)
    text = (tmp_path / "Containerfile").read_text()
    assert all(package in text for package in PACKAGES)
    assert "exists" in tinyml("container", "base", cwd=tmp_path, code=2).err


def test_the_index_is_one_that_the_specification_allows(tmp_path: Path, image: dict[str, Any]) -> None:
    with tarfile.open(tmp_path / "image.tar") as archive:
        names = archive.getnames()
        index = parse_json(archive.extractfile("index.json").read().decode())  # type: ignore[union-attr]
        mark = archive.extractfile("oci-layout").read()  # type: ignore[union-attr]
    assert json.loads(mark) == {"imageLayoutVersion": "1.0.0"}
    assert index["manifests"][0]["digest"] == image["digest"]
    blobs = {name for name in names if name.startswith("blobs/sha256/")}
    assert len(blobs) == 2 + len(image["layers"])


def test_an_image_that_serves_says_how_and_its_command_starts(
    tinyml: Tinyml, tmp_path: Path, base: Path, small: None
) -> None:
    words = ("container", "build", "--base", base, "--out", "image", "--serve", "--json")
    built = tinyml(*words, cwd=tmp_path).json
    outcomes.check("container build", built)
    assert built["port"] == 8421
    layout = tmp_path / "image"
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]))
    settings = json.loads(_blob(layout, manifest["config"]["digest"]))["config"]
    assert settings["Entrypoint"] == ["tinyml", "serve", "/data", "--host", "0.0.0.0", "--port", "8421"]
    assert settings["User"] == "1000:1000"
    assert settings["ExposedPorts"] == {"8421/tcp": {}}
    assert settings["Volumes"] == {"/data": {}}
    assert settings["Healthcheck"]["Test"][:2] == ["CMD", "/usr/bin/python3"]
    data = _files(layout)["data"]
    assert (data.uid, data.mode, data.isdir()) == (1000, 0o1777, True)
    if shutil.which("skopeo"):
        said = subprocess.run(
            ["skopeo", "inspect", "--config", f"oci:{layout}"], capture_output=True, text=True, check=True
        )
        assert json.loads(said.stdout)["config"]["ExposedPorts"] == {"8421/tcp": {}}
    tinyml("container", "base", "--serve", cwd=tmp_path)
    said_lines = (tmp_path / "Containerfile").read_text()
    assert f"ENTRYPOINT {json.dumps(settings['Entrypoint'])}" in said_lines
    assert "EXPOSE 8421\n" in said_lines and "HEALTHCHECK " in said_lines and "VOLUME /data\n" in said_lines


def _blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()
