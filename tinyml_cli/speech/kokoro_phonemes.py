"""From espeak-ng's IPA to the symbols that Kokoro-82M was trained on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from tinyml_cli.speech.phonemes import OTHER_VOICE

# Symbols by their number in the model's vocabulary (config.json of Kokoro-82M v1.0), English ones first.
# A is the diphthong in "say", I "my", O "no", Q the British "no", W "now", Y "boy"; T is the American sound
# in "water", ᵊ a vowel that is hardly there, as in "little".
_NUMBERED = """
    3, 4. 5! 6? 156ˈ 157ˌ 158ː
    24A 25I 31O 33Q 36T 39W 41Y 42ᵊ 82ʤ 133ʧ
    44b 46d 48f 50h 52j 53k 54l 55m 56n 58p 61s 62t 64v 65w 68z 92ɡ 112ŋ 123ɹ 81ð 119θ 131ʃ 147ʒ
    43a 51i 63u 69ɑ 71ɒ 72æ 76ɔ 83ə 86ɛ 87ɜ 102ɪ 135ʊ 138ʌ 177ᵻ
"""
_OTHERS = """
    18ʣ 20ʦ 45c 57o 47e 60r 66x 67y 70ɐ 75β 78ç 80ɖ 90ɟ 99ɥ 101ɨ 110ɯ 113ɳ 114ɲ 116ø 120œ 125ɾ 128ʁ 129ɽ 130ʂ
    132ʈ 136ʋ 139ɣ 142χ 143ʎ 148ʔ 162ʰ 164ʲ
    21ʥ 23ꭧ 26ʨ 77ɕ 85ɚ 115ɴ 118ɸ 126ɻ 140ɤ 169↓ 171→ 172↗ 173↘
"""


def _read(numbered: str) -> dict[str, int]:
    return {entry[-1]: int(entry[:-1]) for entry in numbered.split()}


_ENGLISH = {" ": 16, **_read(_NUMBERED)}
_NASAL = "\u0303"
SYMBOLS = {**_ENGLISH, **_read(_OTHERS), _NASAL: 17}
PUNCTUATION = ",.!?"
_EDGE = 0

# Applied in this order: what is longer, or made of parts of others, comes first.
_BOTH = (
    ("ʔn\u0329", "tᵊn"),
    ("n\u0329", "ᵊn"),
    ("l\u0329", "ᵊl"),
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("aɪ", "I"),
    ("aʊ", "W"),
    ("eɪ", "A"),
    ("ɔɪ", "Y"),
    ("əl", "ᵊl"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ʔ", "t"),
    ("g", "ɡ"),
)
_AMERICAN = (
    ("oʊ", "O"),
    ("ɚ", "əɹ"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɾ", "T"),
    ("o", "ɔ"),
    ("e", "A"),
    ("ː", ""),
)
_BRITISH = (("əʊ", "Q"), ("oʊ", "Q"), ("eə", "ɛː"), ("iə", "ɪə"), ("ɾ", "t"), ("o", "ɔ"), ("e", "A"))
_OF_ENGLISH = {"en-us": _AMERICAN, "en-gb-x-rp": _BRITISH}


# Japanese as the model learned it: no pitch, and its u after s, z and ts is another vowel.
_JAPANESE = (
    ("tɕ", "ʨ"),
    ("dʑ", "ʥ"),
    ("ts", "ʦ"),
    ("ɽ", "ɾ"),
    ("aa", "aː"),
    ("ee", "eː"),
    ("oo", "oː"),
    ("ɯᵝɯᵝ", "ɯː"),
)
_JAPANESE_U = str.maketrans({"ˈ": "", "ˌ": "", "ᵝ": ""})
# Mandarin: the model's symbols for espeak-ng's names, without tone.
_MANDARIN = """
    p:p ph:pʰ t:t th:tʰ k:k kh:kʰ f:f s:s l:l m:m n:n N:ŋ j:j w:w X:x
    ts:ʦ tsh:ʦʰ tS;:ʨ tS;h:ʨʰ ts.:ꭧ ts.h:ꭧʰ s.:ʂ z.:ɻ S;:ɕ
    a:a A:a Au:au ai:ai ei:ei ou:ou @:ə i:i i.:ɨ i[:ɨ iE:jɛ iA:ja iou:jou u:u uo:wo ua:wa uai:wai uei:wei
    u@:wə o:wo o-:ɤ y:y y&:ɥɛ yE:ɥe y@:y @r:ɚ ong:ʊ
"""
_MANDARIN_SYMBOLS = dict(entry.rsplit(":", 1) for entry in _MANDARIN.split())
_TONES = {"55": "→", "35": "↗", "214": "↓", "21": "↓", "51": "↘"}
_NAME_AND_TONE = re.compile(r"[',%]*(?P<name>.*?)(?P<tone>\d*)")
# Of languages whose phonemes the model learned as espeak-ng gives them.
_ELSEWHERE = (("dʒ", "ʤ"), ("tʃ", "ʧ"), ("dz", "ʣ"), ("ts", "ʦ"), ("g", "ɡ"))


def symbols(ipa: str, accent: str = "en-us") -> str:
    """Kokoro's spelling of espeak-ng's IPA; sounds that the model has no symbol for are left out.

    Args:
        ipa: what espeak-ng's voice `accent` makes of a text.
        accent: `en-us`, `en-gb-x-rp`, or the voice of another language.
    """
    if accent not in _OF_ENGLISH:
        ipa = _decomposed(ipa)
        for sound, symbol in _ELSEWHERE:
            ipa = ipa.replace(sound, symbol)
        return "".join(c for c in ipa if c in SYMBOLS)
    for sound, symbol in (*_BOTH, *_OF_ENGLISH[accent]):
        ipa = ipa.replace(sound, symbol)
    return "".join(c for c in ipa if c in _ENGLISH)


def japanese(ipa: str) -> str:
    """Kokoro's spelling of the IPA of espeak-ng's voice `ja`."""
    ipa = "".join(c for c in _decomposed(ipa) if not unicodedata.combining(c))
    for sound, symbol in _JAPANESE:
        ipa = ipa.replace(sound, symbol)
    ipa = re.sub("(?<=[szʦ])ɯ", "ɨ", ipa.translate(_JAPANESE_U))
    return "".join(c for c in ipa if c in SYMBOLS)


def mandarin(names: Sequence[str]) -> str:
    """Kokoro's spelling of the names of phonemes of espeak-ng's voice `cmn`; an arrow for each tone."""
    spelled = ""
    for name in names:
        found = _NAME_AND_TONE.fullmatch(name)
        assert found is not None
        symbol = _MANDARIN_SYMBOLS.get(found["name"], "")
        if spelled[-1:] in ("j", "w") and symbol.startswith(("j", "w", "ɥ")):
            spelled = spelled[:-1]
        spelled += symbol + _TONES.get(found["tone"], "") + ("ŋ" if found["name"] == "ong" else "")
    return spelled


def tokens(spelling: str) -> list[int]:
    """The model's input for symbols: their numbers between two edges.

    Raises:
        KeyError: a character that is none of `SYMBOLS`.
    """
    return [_EDGE, *(SYMBOLS[c] for c in spelling), _EDGE]


def _decomposed(ipa: str) -> str:
    """IPA without marks of other voices, accents apart from their letters; the model has a symbol for ç."""
    return unicodedata.normalize("NFD", OTHER_VOICE.sub("", ipa)).replace("c\u0327", "ç")
