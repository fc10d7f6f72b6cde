"""Writes tinyml_cli/speech/vocabularies.tsv from Unicode's CLDR: letters and other words of each language.

Usage: npm pack cldr-annotations-full@48.2.0 cldr-misc-full@48.2.0, unpack both, then
    python scripts/vocabularies.py ANNOTATIONS/package MISC/package
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

from tinyml_cli.speech import espeak, languages, phonemes, sayable, scripts, vocabulary

# CLDR's locales of a language, where they have another name or there are several.
LOCALES = {
    "cmn": ["zh"],
    "nb": ["no"],
    "sr": ["sr", "sr-Latn"],
    "bs": ["bs", "bs-Cyrl"],
    "hyw": ["hy"],
    "grc": ["el"],
}
# English has words of its own; the emoji of Greenlandic (kl) are named in Danish.
LEFT_OUT = {"en", "kl"}
MOST_WORDS, FEWEST_WORDS = 180, 60
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u0300-\u036f\u0900-\u109f\u0e00-\u0e4e\u200c\u200d])*")
HEADER = """\
# Letters and other words of each language, tab-separated: code, small letters, words.
# From Unicode CLDR {version}: exemplar characters; one-word names and keywords of emoji that espeak-ng reads.
# Copyright (c) 1991-2025 Unicode, Inc.; Unicode License V3, see NOTICE. Written by scripts/vocabularies.py.
"""


def main(annotations: Path, misc: Path) -> None:
    """Collects and writes."""
    version = json.loads((annotations / "package.json").read_text())["version"]
    letters, candidates = {}, {}
    for code in languages.catalogue():
        if "-" in code or code in LEFT_OUT:
            continue
        locales = LOCALES.get(code, [code])
        letters[code] = _letters(code, misc, locales)
        candidates[code] = _keywords(annotations / "annotations" / locales[0] / "annotations.json")
    _write(version, letters, {code: [] for code in letters})
    words = {code: _choose(code, found) for code, found in candidates.items()}
    _write(version, letters, {c: w if len(w) >= FEWEST_WORDS else [] for c, w in words.items()})
    print(f"{sum(map(bool, words.values()))} vocabularies of {len(words)} languages")


def _write(version: str, letters: dict[str, str], words: dict[str, list[str]]) -> None:
    rows = [f"{code}\t{letters[code]}\t{' '.join(words[code])}\n" for code in sorted(letters)]
    text = HEADER.format(version=version) + "".join(
        row for row in rows if row.count("\t\t") + row.endswith("\t\n") < 2
    )
    vocabulary.FILE.write_text(text, encoding="utf-8")
    vocabulary._file.cache_clear()


def _letters(code: str, misc: Path, locales: list[str]) -> str:
    """The small letters of CLDR's exemplar set; empty for scripts without an alphabet."""
    found: set[str] = set()
    for locale in locales:
        path = misc / "main" / locale / "characters.json"
        if path.is_file():
            exemplar = json.loads(path.read_text())["main"][locale]["characters"]["exemplarCharacters"]
            found |= set(_unicode_set(exemplar))
    kept = {c for c in found if c.isalpha() and scripts.of_character(c) in scripts.ALPHABETS}
    return "".join(sorted(kept)) if len(kept) > 10 else ""


def _unicode_set(text: str) -> str:
    text = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda match: chr(int(match[1], 16)), text.strip("[]"))
    text = re.sub(r"(\S)-(\S)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text)
    return unicodedata.normalize("NFC", re.sub(r"[{}\\\s]", "", text)).lower()


def _keywords(path: Path) -> list[str]:
    """Single words, those of the most emoji first."""
    if not path.is_file():
        return []
    entries = json.loads(path.read_text())["annotations"].get("annotations", {}).values()
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update(
            {unicodedata.normalize("NFC", w) for w in (*entry.get("default", ()), *entry.get("tts", ()))}
        )
    usable = [w for w in counts if WORD.fullmatch(w) and len(w) <= 12 and not (w.isupper() and len(w) > 1)]
    return sorted(usable, key=lambda w: (-counts[w], w))


def _choose(code: str, candidates: list[str]) -> list[str]:
    """Words that the voices say, each of which brings sounds or the most common ones."""
    language = languages.find(code)
    voice = language.voices[0]
    candidates = candidates[:1000]
    names = sayable.letters_of(candidates)
    spoken = espeak.pronounce([*candidates, *names], voice)
    letters = dict(zip(names, spoken[len(candidates) :], strict=True))
    said = {
        word: phonemes.segments(ipa)
        for word, ipa in zip(candidates, spoken, strict=False)
        if not sayable.why_not(word, ipa, letters, language) and not phonemes.OTHER_VOICE.search(ipa)
    }
    said = {
        word: sounds
        for word, sounds in said.items()
        if 2 <= len(sounds) <= 11 and not word.isupper() and _is_long_enough(word)
    }
    chosen: list[str] = []
    covered: Counter[str] = Counter()
    heard: set[str] = set()
    for enough in (1, 3, 1000):
        for word, sounds in said.items():
            pairs = {sounds[i : i + 2] for i in range(len(sounds) - 1)}
            if len(chosen) < MOST_WORDS and sounds not in heard and any(covered[p] < enough for p in pairs):
                chosen.append(word)
                covered.update(pairs)
                heard.add(sounds)
    return sorted(chosen)


def _is_long_enough(word: str) -> bool:
    """Whether it is more than a letter of an alphabet."""
    return len(word) > 1 or scripts.of_character(word) not in scripts.ALPHABETS


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
