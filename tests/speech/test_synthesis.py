"""Synthetic speech: every label, many voices, repeatable, cached; espeak-ng crashes are survived."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, flite, phonemes, synthesis
from tinyml_cli.speech.voices import Voices

needs_espeak = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))


def speak(seed: int = 1, words: tuple[str, ...] = ("yes", "no")) -> synthesis.Corpus:
    return synthesis.synthesise(words, 20, 30, Voices(["espeak"]), 16_000, 16_000, seed)


@needs_espeak
def test_labels_voices_and_shape() -> None:
    clips = speak().clips
    assert clips.audio.shape == (70, 16_000)
    assert clips.audio.dtype == np.int16
    assert clips.counts(["yes", "no", "unknown"]) == {"yes": 20, "no": 20, "unknown": 30}
    assert len(set(clips.groups)) > 50
    assert not {"know", "yes", "no"} & set(clips.words[clips.labels == "unknown"])


@needs_espeak
def test_words_longer_than_a_clip_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    synthesis.synthesise(("information", "no"), 10, 8, Voices(["espeak"]), 16_000, 10_000, 1)
    told = capsys.readouterr().err
    assert "of 10 utterances of `information` are longer than a clip of 625 ms" in told and "`no`" not in told


@needs_espeak
def test_a_seed_fixes_it_with_and_without_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, cached = speak().clips, speak().clips
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "other"))
    fresh, different = speak().clips, speak(seed=2).clips
    assert (first.audio == cached.audio).all()
    assert (first.audio == fresh.audio).all()
    assert (first.groups != different.groups).any()


@needs_espeak
def test_a_damaged_cache_is_spoken_again(tmp_path: Path) -> None:
    first = speak().clips
    (cached,) = (tmp_path / "cache" / "speech").iterdir()
    cached.write_bytes(cached.read_bytes()[:5000])
    assert (speak().clips.audio == first.audio).all()


@needs_espeak
def test_an_unspeakable_word_is_an_error() -> None:
    with pytest.raises(TinymlError, match="No synthetic voice can pronounce"):
        speak(words=("yes", "..."))


@needs_espeak
def test_a_killed_worker_is_replaced() -> None:
    request = espeak.EspeakUtterance("yes", "en-us+f2", 160, 50, 50).request()
    with espeak.EspeakProcess() as process:
        _, before = process.ask(request)
        assert process._child is not None
        process._child.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process._child.wait()
        with pytest.raises(espeak.EspeakCrashError):
            process.ask(request)
        _, after = process.ask(request)
    assert len(before) > 10_000
    assert before == after


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TinymlError, match="not installed") as caught:
        speak()
    assert "tinyml-cli[speech]" in caught.value.next_step


@needs_espeak
def test_homophones_by_phonemes() -> None:
    ipa = dict(
        zip(
            ("no", "know", "now", "write", "right"),
            espeak.pronounce(("no", "know", "now", "write", "right")),
            strict=True,
        )
    )
    assert phonemes.sounds_like(ipa["know"], ipa["no"])
    assert phonemes.sounds_like(ipa["write"], ipa["right"])
    assert not phonemes.sounds_like(ipa["now"], ipa["no"])
    assert phonemes.rank_by_nearness({w: ipa[w] for w in ("know", "write", "now")}, [ipa["no"]]) == [
        "now",
        "write",
    ]


def test_distance() -> None:
    assert phonemes.distance("kitten", "sitting") == 3
    assert phonemes.distance("", "abc") == 3


@pytest.mark.skipif(not flite.is_installed(), reason="flite is not installed")
def test_flite_speaks_and_survives_a_voice_it_lacks() -> None:
    asked = [flite.FliteUtterance("yes", "slt", 1.0, 170, 20), flite.FliteUtterance("", "slt", 1.0, 170, 20)]
    spoken = list(flite.say_all(asked, 16_000))
    assert len(spoken[0]) > 5_000
    assert len(spoken) == 2


def _no_space(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_flite_on_a_full_disk_is_an_error_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty clips would be kept in the cache of synthetic speech."""
    failed = subprocess.CompletedProcess(["flite"], returncode=255)
    monkeypatch.setattr("tinyml_cli.processes.run", lambda *_, **__: failed)
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(TinymlError, match="Cannot write temporary files"):
        list(flite.say_all([flite.FliteUtterance("yes", "slt", 1.0, 170.0, 10.0)], 16_000))


def test_a_word_that_flite_cannot_say_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess(["flite"], returncode=255)
    monkeypatch.setattr("tinyml_cli.processes.run", lambda *_, **__: failed)
    (audio,) = flite.say_all([flite.FliteUtterance("yes", "slt", 1.0, 170.0, 10.0)], 16_000)
    assert len(audio) == 0
