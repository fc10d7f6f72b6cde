"""Phonetic similarity of two words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

# How espeak-ng marks in its IPA that another language's voice says a part: "(en)dʒˈiːnz(de)".
OTHER_VOICE = re.compile(r"\([a-z-]+\)")
_NOT_SEGMENTS = frozenset("ˈˌː‿ˑ_ |.-'")
_JOINS_AND_STRESS = frozenset("ˈˌ‿_ |.-'")
# Characters for private use, which `segments` lets pass.
_FIRST_CODE = 0xE000
_CODES: dict[str, int] = {}
# Vowels that accents swap freely: a listener takes these for one sound.
_SAME_SOUND = str.maketrans({"ɐ": "ə", "ᵻ": "ɪ", "ɚ": "ə", "ɜ": "ə", "ɹ": "r", "ɾ": "t", "ɡ": "g", "o": "ə"})


def segments(ipa: str, folded: bool = True) -> str:
    """The bare sounds: no stress, length or joining marks.

    Args:
        ipa: of a text.
        folded: whether vowels that accents of English swap freely count as one.
    """
    letters = unicodedata.normalize("NFD", OTHER_VOICE.sub("", ipa))
    kept = (c for c in letters if c not in _NOT_SEGMENTS and not unicodedata.combining(c))
    return "".join(kept).translate(_SAME_SOUND if folded else {})


def bare(ipa: str) -> str:
    """IPA without stress and joins: equal for two words that one voice says alike."""
    return "".join(c for c in OTHER_VOICE.sub("", ipa) if c not in _JOINS_AND_STRESS)


def coded(names: Sequence[str]) -> str:
    """A character for each of espeak-ng's names of phonemes, stress left out; equal for equal phonemes."""
    bare_names = (name.lstrip("',%=").rstrip("_!") for name in names)
    return "".join(chr(_CODES.setdefault(name, _FIRST_CODE + len(_CODES))) for name in bare_names if name)


def distance(first: str, second: str) -> int:
    """Levenshtein distance between two strings of segments (V. Levenshtein, 1966)."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def sounds_like(ipa: str, target: str) -> bool:
    """Whether a person would take one for the other: equal segments."""
    return segments(ipa) == segments(target)


def rank_by_nearness(ipa: Mapping[str, str], targets: Sequence[str]) -> list[str]:
    """The words of `ipa`, those nearest to any target first; words that sound like a target are left out.

    Args:
        ipa: word -> IPA.
        targets: IPA of the target words.
    """
    wanted = [segments(target) for target in targets]
    near: list[tuple[float, str]] = []
    for word, spoken in ipa.items():
        sound = segments(spoken)
        if sound in wanted:
            continue
        near.append((min(distance(sound, w) / max(len(sound), len(w), 1) for w in wanted), word))
    return [word for _, word in sorted(near)]
