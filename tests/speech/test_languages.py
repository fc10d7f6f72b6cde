"""Words of other languages: whose voices, how they are read, what is refused, other words, no silent clip."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli import checks, tables
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.protocol import LineDecoder
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import default_name
from tinyml_cli.speech import (
    espeak,
    languages,
    other_speech,
    phonemes,
    plan,
    prefixes,
    pronunciation,
    pseudo_words,
    reading,
    synthesis,
    vocabulary,
)
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.voices import Voices
from tinyml_cli.tasks.kws.checks import check_words

pytestmark = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")


def readings(words: str, codes: str, **spellings: str) -> dict[str, list[str]]:
    """Word -> "code ipa" of each of its readings."""
    found = reading.read(words.split(), Pronunciation(tuple(codes.split()), spellings))
    return {word: [f"{r.language.code} {r.ipa}" for r in of_word] for word, of_word in found.items()}


def refusal(words: str, codes: str, **spellings: str) -> str:
    with pytest.raises(TinymlError) as caught:
        readings(words, codes, **spellings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("yes no", "en"), ("straße", "en"), ("7 12", "en"), ("7 да", "ru"), ("はい いいえ", "ja"),
        ("日本 はい", "ja"), ("ハロー", "ja"), ("你好", "cmn"), ("нет", "ru"), ("ναι", "el"), ("हाँ", "hi"),
        ("ใช่", "th"), ("نعم", "ar"), ("네", "ko"), ("כן", "he"), ("კი", "ka"), ("այո", "hy"), ("አዎ", "am"),
        ("ஆம்", "ta"),
    ],
)  # fmt: skip
def test_the_script_stands_for_a_language(words: str, code: str) -> None:
    assert languages.default(words.split())[0] == [code]


def test_words_of_several_scripts_need_a_language() -> None:
    with pytest.raises(TinymlError, match="several scripts: `да` in Cyrillic, `yes` in Latin") as caught:
        languages.default(["да", "yes"])
    assert caught.value.next_step == "Name the languages: --language ru,en"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("fo", "No voice speaks Faroese"),
        ("kaa", "No voice speaks Karakalpak"),
        ("zz", "Unknown language"),
        ("", "Unknown"),
    ],
)
def test_a_language_without_voices_is_refused(code: str, said: str) -> None:
    with pytest.raises(TinymlError, match=said):
        languages.find(code)


def test_languages_are_found_by_other_names() -> None:
    assert languages.find("zh") == languages.find("cmn")
    assert languages.find("PT_br").voices == ("pt-br",)
    assert set(languages.find("pt").voices) == {"pt", "pt-br"}
    assert languages.find("en").voices == espeak.ACCENTS
    assert Pronunciation(("ZH", "pt-BR")).codes == ("cmn", "pt-br")
    with pytest.raises(TinymlError, match="Did you mean --language de"):
        languages.find("german")
    with pytest.raises(TinymlError, match="--language de speaks German"):
        languages.find("de-AT")


def test_words_are_read_by_their_language() -> None:
    assert readings("ja nein straße", "de") == {
        "ja": ["de jˈɑː"], "nein": ["de nˈaɪn"], "straße": ["de ʃtɾˈɑːsə"]
    }  # fmt: skip
    assert readings("はい", "ja") == {"はい": ["ja hˈäi"]}
    assert readings("да yes", "ru en") == {"да": ["ru dˈɑ"], "yes": ["en jˈɛs"]}
    decomposed = unicodedata.normalize("NFD", "über")
    assert [r.split()[1] for r in readings(decomposed, "de")[decomposed]] == ["ˈyːbɜ"]


@pytest.mark.parametrize(
    ("words", "codes", "said"),
    [
        ("нет", "de", "written in Cyrillic, which the German voices"),
        ("はい", "en", "written in Hiragana"),
        ("net", "ru", "written in Latin letters, which the Russian voices"),
        ("日本", "ja", "name its signs in another language"),
        ("lumière", "de", "`è` is not a letter of German"),
        ("hmm", "de", "letter by letter"),
        ("кгб", "ru", "letter by letter"),
        ("båd", "kl", "make nothing of it"),
        ("straße", "en", "--language de"),
    ],
)
def test_what_no_voice_can_say_is_named(words: str, codes: str, said: str) -> None:
    told = refusal(words, codes)
    assert f"No synthetic voice can pronounce `{words}`" in told and said in told and "--pronounce" in told


def test_words_that_sound_alike_are_named_with_what_is_heard() -> None:
    assert "`right` and `write` sound alike in English: /ɹˈaɪt/" in refusal("right write", "en")
    assert "sound alike in German and English" in refusal("nein nine", "de en")
    assert "`Rat` and `Rad` sound alike in German" in refusal("Rat Rad", "de")
    assert refusal("casa caza", "es-419") and readings("casa caza", "es-es")
    assert readings("vin vais", "fr") and readings("妈 骂", "cmn")  # told apart by a nasal, by a tone


def test_words_that_some_accent_says_alike_draw_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    reading.tell(reading.read(["casa", "caza"], Pronunciation(("es",))))
    assert "`casa` and `caza` sound alike in Spanish (Latin America)" in capsys.readouterr().err
    reading.tell(reading.read(["妈", "骂"], Pronunciation(("cmn",))))
    assert "`妈` and `骂` differ little in Mandarin Chinese" in capsys.readouterr().err
    reading.tell(reading.read(["ใช่"], Pronunciation(("th",))))
    assert "espeak-ng's Thai reads a vowel" in capsys.readouterr().err
    reading.tell(reading.read(["아", "오"], Pronunciation(("ko",))))
    reading.tell(reading.read(["yes", "no"], Pronunciation()))
    assert capsys.readouterr().err == ""


def test_a_pronunciation_takes_the_place_of_the_spelling() -> None:
    assert readings("はい", "en", はい="hai") == {"はい": ["en hˈaɪ"]}
    assert readings("はい", "ja", はい="hai") == {"はい": ["ja hˈäi"]}
    assert readings("日本", "ja", 日本="にほん") == {"日本": ["ja nˈiho̞ɴ"]}
    assert readings("ja oui", "de fr", ja="de:ja", oui="fr:oui") == {"ja": ["de jˈɑː"], "oui": ["fr wˈi"]}
    assert readings("route", "en", route="[[r'u:t]]") == {"route": ["en ɹˈuːt"]}
    assert readings("right write", "en", write="wryte it")
    assert "not one of the words" in refusal("yes", "en", no="noh")
    assert "which is not chosen" in refusal("yes", "en", yes="de:jes")
    assert "letter by letter" in refusal("yes", "en", yes="kws")


@pytest.mark.parametrize("given", ["はい", "=hai", "はい=", "はい= "])
def test_half_a_pronunciation_is_refused(given: str) -> None:
    with pytest.raises(TinymlError, match="is not a word and its pronunciation"):
        pronunciation.spellings([given])


def test_sounds_begin_other_words_in_their_language() -> None:
    assert prefixes.longer_words(["da", "danach"], Pronunciation(("de",))) == {"da": ["danach"]}
    assert prefixes.longer_words(["eau", "olive"], Pronunciation(("fr",))) == {"eau": ["olive"]}


def test_vocabularies_hold_words_of_their_letters() -> None:
    known = [code for code in languages.catalogue() if "-" not in code and vocabulary.words_of(code)]
    assert len(known) >= 80
    for code in known:
        words, letters = vocabulary.words_of(code), vocabulary.letters_of(code)
        assert len(set(words)) == len(words) >= 60
        strange = {c for word in words for c in word.lower() if c.isalpha()} - set(letters)
        assert not letters or code == "tr" or not strange, (code, strange)


@pytest.mark.parametrize("code", ["de", "cmn", "sw", "jbo", "sjn"])
def test_other_words_sound_like_none_of_the_targets(code: str) -> None:
    how = Pronunciation((code,))
    (language,) = how.spoken
    words = {"de": ["sieben", "Hund"], "sjn": ["atan"]}.get(code, ["7"])
    said = reading.read(words, how)
    others = plan._other_words(words, said, language, how)
    assert len(others) >= 50
    targets = set(reading.target_sounds(words, language, how))
    assert not targets & set(reading.sounds([each.text for each in others], language))


def test_words_of_two_languages_are_shared_out() -> None:
    corpus = synthesis.synthesise(
        ["да", "yes"], 12, 20, Voices(["espeak"]), 16_000, 16_000, 3, Pronunciation(("ru", "en"))
    )
    assert corpus.languages == ("ru", "en")
    assert corpus.clips.counts(["да", "yes", UNKNOWN]) == {"да": 12, "yes": 12, UNKNOWN: 20}
    by_word = {
        word: {str(g) for g, w in zip(corpus.clips.groups, corpus.clips.words, strict=True) if w == word}
        for word in ("да", "yes")
    }
    assert all(group.startswith("espeak/ru") for group in by_word["да"])
    assert not any(group.startswith("espeak/ru") for group in by_word["yes"])
    assert "Russian (ru) and English (en)" in corpus.notes[0]


def test_other_speech_is_of_the_words_languages() -> None:
    how = Pronunciation(("de", "fr"))
    blocks = [other_speech.plan(0, True, language) for language in how.spoken]
    for block, code in zip(blocks, how.languages, strict=True):
        assert len(block) == other_speech.BLOCK
        assert {each.utterance.voice.split("+")[0].split("-")[0] for each in block} == {code}
    assert blocks[0] == other_speech.plan(0, False, how.spoken[0])
    found = other_speech._distances(["neunzehn", "vierzig", "nein danke"], ["nein"], how.spoken[0], how)
    assert set(found) == {"neunzehn", "vierzig"}


def test_flite_speaks_english_alone() -> None:
    how = Pronunciation(("de",))
    with pytest.raises(TinymlError, match="cannot speak German"):
        plan.plan(reading.read(["ja"], how), ["ja"], 8, 8, Voices(["flite"]), 0, how)


def silent(codes: list[str], variants: list[str]) -> list[str]:
    """The voices that leave a word of theirs silent or too short."""
    asked = []
    for code in codes:
        language = languages.find(code)
        words = [w for w in vocabulary.words_of(code) if not w.isdecimal()][:2]
        words = words or pseudo_words.invent(language, 2, np.random.default_rng(0))
        asked += [
            espeak.EspeakUtterance(word, f"{voice}+{variant}", 160, 50, 50)
            for voice in language.voices
            for variant in variants
            for word in words
        ]
    spoken = [audio / np.float32(32768) for _, audio in espeak.say_all(asked)]
    return [
        f"{u.voice} {u.text}"
        for u, a in zip(asked, spoken, strict=True)
        if not len(synthesis._trim(a, 22_050))
    ]


def test_no_clip_is_silent() -> None:
    assert silent(["de", "cmn", "sw", "jbo", "ar", "cv"], ["f3", "Andy"]) == []


@pytest.mark.slow
def test_no_voice_is_silent() -> None:
    assert silent([code for code in languages.catalogue() if "-" not in code], espeak.variants()) == []


def test_the_command_says_whose_voices_and_writes_their_clips(tinyml: Tinyml, tmp_path: Path) -> None:
    options = ("--words", "はい,いいえ", "--clips", "9", "--unknown", "8", "--out", "new")
    answer = tinyml("data", "synth", *options, cwd=tmp_path)
    assert "Language: Japanese (ja), from the words' script, Hiragana" in answer.out
    assert "はい /hˈäi/" in answer.out
    assert len(list((tmp_path / "new" / "はい").iterdir())) == 9
    assert len(list((tmp_path / "new").rglob("*.wav"))) == 26


@pytest.mark.parametrize(
    "options",
    [
        ("--words", "да,yes"),
        ("--words", "yes", "--language", "zz"),
        ("--words", "yes", "--language", "fo"),
        ("--words", "нет", "--language", "de"),
        ("--words", "yes", "--language", ""),
        ("--words", "yes", "--language", "de,"),
        ("--words", "yes", "--language", "de,de"),
        ("--words", "yes", "--pronounce", "yes"),
        ("--words", "yes", "--pronounce", "yes=<audio src=x.wav/>"),
        ("--words", "right,write"),
    ],
)
@pytest.mark.parametrize("command", [("data", "synth", "--out", "new"), ("train", "kws", "--run", "new")])
def test_bad_languages_leave_nothing_behind(
    tinyml: Tinyml, tmp_path: Path, command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    answer = tinyml(*command, *options, cwd=tmp_path, code=2)
    assert answer.err.count("error:") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "spelling", ["a=b", "a\x1b[31m", "<break/>", "[[]]", "[[j'Es", "😀", "a" * 101, "..."]
)
def test_what_is_no_spelling_is_refused(spelling: str) -> None:
    with pytest.raises(TinymlError, match="is not a spelling"):
        Pronunciation(spellings={"yes": spelling}).check(["yes"])


@pytest.mark.parametrize("spelling", ["jess", "en:jess", "[[j'Es]]", "jes-s", "はい", "3"])
def test_spellings_are_letters_or_names_of_sounds(spelling: str) -> None:
    Pronunciation(spellings={"yes": spelling}).check(["yes"])


def test_prompts_tell_how_words_are_said() -> None:
    assert reading.hints(["nein", "はい"], ["de", "ja"]) == {
        "nein": "/nˈaɪn/ in German",
        "はい": "/hˈäi/ in Japanese",
    }
    assert reading.hints(["nein"], None) == {}


def test_words_of_any_script_survive_tables_events_and_names_of_runs() -> None:
    words = ("می‌خواهم", "हाँ", "हूँ", "ใช่", "はい")
    table = tables.render("", ("word", "clips"), [(word, 12) for word in words], 80)
    for word in words:
        check_words([word])
        Manifest(task="kws", seed=1, labels=[word])
        checks.file_name(word, "--words")
        assert word in table
        line = json.dumps({"event": "detection", "label": word, "score": 0.9, "t_ms": 5}, ensure_ascii=False)
        (event,) = LineDecoder().feed(line.encode() + b"\n")
        assert event.label == word
    assert len({default_name("kws", [word]) for word in words}) == len(words)
    assert default_name("kws", ["हाँ", "hey you"]) == "kws-हाँ-hey_you"


def test_english_plans_are_those_of_the_time_before_other_languages() -> None:
    how = Pronunciation()
    said = reading.read(["yes", "no"], how)
    assert digest(plan.plan(said, ["yes", "no"], 50, 200, Voices(["espeak"]), 1, how)) == "ab301edbf360ee7b"
    assert digest(other_speech.plan(0, True)) == "7bddb8b7ba76a06f"


def digest(planned: list[plan.Planned]) -> str:
    rows = [[each.group, each.label, each.word, asdict(each.utterance)] for each in planned]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def test_a_word_that_comes_out_too_short_is_said_more_slowly() -> None:
    corpus = synthesis.synthesise(["и"], 20, 8, Voices(["espeak"]), 16_000, 16_000, 0, Pronunciation(("ru",)))
    assert corpus.clips.counts(["и"]) == {"и": 20}


def test_coded_sounds_keep_tones_and_drop_stress() -> None:
    assert phonemes.coded(["m", "'A55"]) == phonemes.coded(["m", "A55"]) != phonemes.coded(["m", "A51"])
