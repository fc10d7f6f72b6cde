"""Takes from a browser are stored as `data record` stores them; a phone gets in once, over TLS, to record."""

from __future__ import annotations

import hashlib
import io
import ssl
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from starlette.testclient import TestClient

from tests.corpus import whistle
from tinyml_cli.collect.record_session import WordPlan
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.image_folder import list_images
from tinyml_cli.studio import phone
from tinyml_cli.studio.studio import Studio
from tinyml_cli.tasks.wand import hand, kinematics
from tinyml_cli.tasks.wand.takes import read_takes

RATE_HZ = 16_000
WORD = {"folder": "recordings", "word": "yes", "speaker": "Anna B"}
PICTURE = {"folder": "images", "label": "cup"}
MOTION = {"folder": "motion", "label": "idle", "person": "me", "rate_hz": 119}


def take(rate_hz: int = RATE_HZ, loud: float = 1.0) -> bytes:
    """Two seconds of WAV with a word in the middle."""
    sound = np.random.default_rng(0).normal(0, 30, 2 * RATE_HZ)
    sound[8000:24000] += loud * whistle("up", 0, 0)
    samples = np.interp(np.arange(0, len(sound), RATE_HZ / rate_hz), np.arange(len(sound)), sound)
    stream = io.BytesIO()
    soundfile.write(stream, samples.astype(np.int16), rate_hz, format="WAV")
    return stream.getvalue()


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def send(owner: TestClient, what: str, query: object, content: bytes, status: int = 200) -> Any:
    answer = owner.post(f"/api/take/{what}", params=query, content=content)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_word_is_cut_as_by_the_command(owner: TestClient, studio: Studio) -> None:
    told = send(owner, "word", WORD, take())
    assert (told["kept"], told["clips"], told["faults"]) == (True, 1, [])
    audio, _ = soundfile.read(io.BytesIO(take()), dtype="int16")
    plan = WordPlan(("yes",), "Anna-B", studio.root / "recordings", 1)
    stored = studio.root / "recordings" / "yes" / "Anna-B_nohash_0.wav"
    assert told["id"] == "recordings/yes/Anna-B_nohash_0.wav"
    assert soundfile.read(stored, dtype="int16")[0].tolist() == plan.cut(audio, RATE_HZ).audio.tolist()
    assert send(owner, "word", WORD, take(48_000))["id"].endswith("_1.wav")
    assert soundfile.info(stored.with_name("Anna-B_nohash_1.wav")).frames == RATE_HZ


def test_a_faulty_take_is_kept_on_demand_alone(owner: TestClient, studio: Studio) -> None:
    quiet = take(loud=0.0)
    told = send(owner, "word", WORD, quiet)
    assert not told["kept"]
    assert told["faults"]
    assert not (studio.root / "recordings").exists()
    assert not send(owner, "word", WORD | {"keep": "never"}, take())["kept"]
    assert send(owner, "word", WORD | {"keep": "always"}, quiet)["clips"] == 1


def test_the_sound_of_a_machine_is_stored_as_it_is(owner: TestClient, studio: Studio) -> None:
    query = {"folder": "machine", "label": "normal", "source": "studio"}
    assert send(owner, "sound", query, take()) == {"kept": 1, "n": 1, "strokes": []}
    assert send(owner, "sound", query, take(48_000))["n"] == 2
    stored = studio.root / "machine" / "normal" / "studio_nohash_0.wav"
    audio, _ = soundfile.read(io.BytesIO(take()), dtype="int16")
    assert soundfile.read(stored, dtype="int16")[0].tolist() == audio.tolist()
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(RATE_HZ, np.int16), RATE_HZ, format="WAV")
    assert send(owner, "sound", query, silence.getvalue())["kept"] == 0
    for hostile in ("../out", "a/b", "", "."):
        send(owner, "sound", query | {"label": hostile}, take(), 422)
    send(owner, "sound", query, b"RIFF", 422)
    assert sorted(path.name for path in studio.root.rglob("*.wav")) == [stored.name, "studio_nohash_1.wav"]


def test_a_picture_is_stored_as_by_the_command(owner: TestClient, studio: Studio) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8).repeat(9, 0).repeat(9, 1)
    assert send(owner, "picture", PICTURE, png(pixels))["n"] == 1
    assert send(owner, "picture", PICTURE, png(np.full((60, 80, 3), 7, np.uint8)))["kept"] == 0
    (entry,) = list_images(studio.root / "images", ["cup"])
    with Image.open(entry.path) as image:
        assert (image.format, min(image.size)) == ("JPEG", 240)


def test_motion_is_read_back_and_strokes_are_found(owner: TestClient, studio: Studio) -> None:
    rng = np.random.default_rng(3)
    path = hand.draw("0", hand.random_writer(rng), rng)
    moved = kinematics.wave(path, kinematics.random_grip(rng), kinematics.perfect_sensor(), rng)
    content = moved.samples.astype("<i2").tobytes()
    assert send(owner, "motion", MOTION, content)["n"] == 1
    (read,) = read_takes(studio.root / "motion", 119, 10_000).takes
    assert read.label == "idle"
    assert read.samples.tolist() == moved.samples.tolist()
    query = MOTION | {"folder": "strokes", "label": "0", "strokes": "true"}
    told = send(owner, "motion", query, content)
    assert (told["kept"], told["n"], len(told["strokes"])) == (1, 1, 1)
    assert send(owner, "motion", query, content[: 12 * 20])["kept"] == 0


@pytest.mark.parametrize(
    ("what", "query", "content"),
    [
        ("word", WORD | {"folder": "../x"}, take()),
        ("word", WORD | {"folder": ".hidden"}, take()),
        ("word", WORD | {"folder": "runs"}, take()),
        ("word", WORD | {"folder": "a/b"}, take()),
        ("word", WORD | {"word": "../../x"}, take()),
        ("word", WORD | {"word": "silence"}, take()),
        ("word", WORD | {"speaker": "/"}, take()),
        ("word", WORD, b""),
        ("word", WORD, b"RIFF" + bytes(40)),
        ("word", WORD, take()[:30]),
        ("picture", PICTURE, b"<svg/>"),
        ("picture", PICTURE | {"label": "a/b"}, png(np.zeros((20, 20), np.uint8))),
        ("motion", MOTION, b"123"),
        ("motion", MOTION, b""),
        ("motion", MOTION | {"rate_hz": "nan"}, bytes(1200)),
        ("motion", MOTION, bytes(12_000)),
        ("motion", MOTION | {"label": "con"}, bytes(1200)),
    ],
)
def test_what_is_no_take_leaves_nothing(
    owner: TestClient, studio: Studio, what: str, query: object, content: bytes
) -> None:
    assert send(owner, what, query, content, status=422)["error"]["next_step"]
    assert list(studio.root.parent.iterdir()) == [studio.root]
    assert list(studio.root.iterdir()) == []


def test_no_take_follows_a_link_out_of_the_folder(owner: TestClient, studio: Studio, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for place in ("recordings/yes", "images/cup", "motion/idle", "linked"):
        (studio.root / place).parent.mkdir(exist_ok=True)
        (studio.root / place).symlink_to(outside)
    noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    send(owner, "word", WORD, take(), status=422)
    send(owner, "word", WORD | {"folder": "linked"}, take(), status=422)
    send(owner, "picture", PICTURE, png(noise), status=422)
    send(owner, "motion", MOTION, noise.tobytes()[:1200], status=422)
    send(owner, "word", WORD | {"word": "no"}, take())
    clip = owner.get("/api/data/items", params={"folder": "recordings"}).json()["items"][0]
    asked = {"items": [{"id": clip["id"], "version": clip["version"]}], "label": "yes"}
    assert owner.post("/api/data/relabel", json=asked).status_code == 422
    assert list(outside.iterdir()) == []


def test_a_word_of_any_script_is_heard_again(owner: TestClient) -> None:
    for word in ("می\u200cروم", "क्\u200dष", "don't"):
        found = send(owner, "word", WORD | {"word": word}, take())
        assert owner.get("/api/data/file", params={"id": found["id"]}).status_code == 200


def test_a_folder_holds_one_kind(owner: TestClient) -> None:
    send(owner, "word", WORD, take())
    error = send(owner, "motion", MOTION | {"folder": "recordings"}, bytes(1200), status=422)["error"]
    assert "holds sound" in error["what"]


def test_uploads_are_bounded(owner: TestClient, studio: Studio) -> None:
    for what, query in (("word", WORD), ("motion", MOTION)):
        send(owner, what, query, bytes(7 << 20), status=413)
    assert list(studio.root.iterdir()) == []


def test_a_phone_is_let_in_by_a_shared_studio_alone(owner: TestClient, studio: Studio) -> None:
    asked = {"kind": "sound", "folder": "recordings", "labels": ["yes", "no"], "person": "anna"}
    assert "--share" in owner.post("/api/phone", json=asked).json()["error"]["next_step"]
    studio.phone_origin = "https://192.0.2.7:8500"
    pytest.importorskip("segno", reason="the extra studio is not installed")
    told = owner.post("/api/phone", json=asked).json()
    page, _, ticket = told["url"].partition("#")
    assert page == ("https://192.0.2.7:8500/record?kind=sound&folder=recordings&labels=yes%2Cno&person=anna")
    assert told["qr"].startswith("data:image/svg+xml")
    assert studio.access.enter(ticket)[1] == "recorder"  # type: ignore[index]
    assert studio.access.enter(ticket) is None


def test_the_certificate_is_the_address_s_own(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the extra studio is not installed")
    made = phone.make_certificate("192.0.2.7", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    der = ssl.PEM_cert_to_DER_cert(made.certificate.read_text())
    assert made.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert made.key.stat().st_mode & 0o077 == 0


def test_without_the_extra_it_says_what_to_install() -> None:
    error = phone.needs_extra(ImportError("No module named 'segno'"))
    assert isinstance(error, TinymlError)
    assert "tinyml-cli[studio]" in error.next_step
