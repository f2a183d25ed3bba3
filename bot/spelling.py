"""Mends words that nobody writes: letters left over by an input method, slips of the thumb, words spelt as they are
said ("lộp" for "nộp", "dút" for "rút", "bảo hỉm"). Pure, no framework.

Only words that are unknown are touched, and only where one that people do write sounds the same or is a single slip
away; after a slip diacritics are given up, since what is left of them is worth nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from bot.text import fold

COMMON = 3
"""A word that was written so often is a word."""
FAMILIAR = 20
"""A slip is only ever mended to a word that was written so often."""
LONG = 5
"""Letters from which any slip is looked for; in a shorter word only a missing letter: nearly every other slip makes
another word."""

RARER = 40
"""So many times rarer than one that sounds the same, a word is taken for that one."""

_WORD = re.compile(r"[^\W\d_]+")
_SYLLABLE = re.compile(
    r"(ngh?|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?(?!.*([a-z])\2)[aeiouy]{1,3}(ch|ng|nh|[cmnpt])?"
)
"""Folded, without doubled letters: what is spelt like this is a word, or a name, and no slip."""
_TELEX_DOUBLE = re.compile(r"dd|([aeo])\1")
_TELEX_TONE = re.compile(r"(?<=.)[sfrxj]")
_REPEATED = re.compile(r"(.)\1+")
_TONES = {"\u0300": "`", "\u0301": "´", "\u0309": "?", "\u0303": "?", "\u0323": "."}
"""Tone marks; hỏi and ngã are one to many."""
_SAID = tuple(
    (re.compile(written), said)
    for written, said in (
        (r"^ngh", "ng"), (r"^gh", "g"), (r"^k(?!h)", "c"), (r"^l", "n"), (r"^tr", "ch"), (r"^s", "x"),
        (r"^gi(?=[aeiouyăâêôơư])|^gi$|^r", "d"), (r"y", "i"), (r"iê", "i"),
    )
)  # fmt: skip
"""Letters that many write for one another, because they say them alike."""


@dataclass(frozen=True)
class Spelling:
    """The words that people write."""

    written: Mapping[str, int]
    """Word in lower case → how often."""
    short_forms: frozenset[str] = frozenset()
    """Folded abbreviations: words as well."""

    @classmethod
    def of(cls, texts: Iterable[str], short_forms: Iterable[str] = ()) -> Spelling:
        written = Counter(word for text in texts for word in _WORD.findall(text.lower()))
        return cls(written, frozenset(map(fold, short_forms)))

    def mend(self, text: str) -> str:
        """The text with every unknown word made a known one, where it sounds like one or is one slip away."""
        return _WORD.sub(lambda match: self._mended(match[0], match.start() == 0), text)

    def _mended(self, word: str, is_first: bool) -> str:
        if is_first or not word[0].isupper():
            word = self._meant(word)
        plain = fold(word)
        if len(plain) < 3 or self._is_word(plain):
            return word
        likely = [one for one in _typed_as(plain) if self.seen.get(one, 0) >= FAMILIAR]
        found = likely or list(self._one_slip_away(plain))
        return max(found, key=self.seen.__getitem__, default=word)

    def _meant(self, word: str) -> str:
        """The word that sounds like this one and is what people write; the word itself if there is none."""
        lower, plain = word.lower(), fold(word)
        if plain in self.short_forms:
            return word
        # Without diacritics it may be any word that is left of them.
        often = self.seen.get(plain, 0) if lower == plain else self.written.get(lower, 0)
        other = self._by_sound.get(_sound(lower), lower)
        return other if self.written.get(other, 0) > RARER * often else word

    def _is_word(self, plain: str) -> bool:
        known = self.seen.get(plain, 0) >= COMMON or plain in self.short_forms
        return known or _SYLLABLE.fullmatch(plain) is not None

    def _one_slip_away(self, word: str) -> Iterator[str]:
        near = extract(word, self._familiar, scorer=OSA.distance, score_cutoff=1, limit=None)
        for one, _, _ in near:
            # People seldom miss the first letter.
            if one[0] == word[0] and (len(word) >= LONG or len(one) > len(word)):
                yield one

    @cached_property
    def seen(self) -> Mapping[str, int]:
        """Folded word → how often."""
        found: Counter[str] = Counter()
        for word, count in self.written.items():
            found[fold(word)] += count
        return found

    @cached_property
    def _by_sound(self) -> Mapping[str, str]:
        """Sound → the familiar word that is written most."""
        common = sorted((count, word) for word, count in self.written.items() if count >= FAMILIAR)
        return {_sound(word): word for _, word in common}

    @cached_property
    def _familiar(self) -> list[str]:
        return [word for word, count in self.seen.items() if count >= FAMILIAR]


def _sound(word: str) -> str:
    """What a word in lower case sounds like, to those who say l and n, ch and tr, s and x, r, d and gi alike."""
    letters = unicodedata.normalize("NFD", word)
    tone = "".join(_TONES.get(letter, "") for letter in letters)
    said = unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in _TONES))
    for pattern, replacement in _SAID:
        said = pattern.sub(replacement, said)
    return said + tone


@lru_cache(maxsize=4096)
def _typed_as(word: str) -> frozenset[str]:
    """What a folded word may be where Telex keys or held-down letters were left in it ("keets" → "ket")."""
    without = {word, _REPEATED.sub(r"\1", word), _TELEX_DOUBLE.sub(lambda m: m[0][0], word).replace("w", "")}
    toneless = {one[: at.start()] + one[at.end() :] for one in without for at in _TELEX_TONE.finditer(one)}
    return frozenset((without | toneless) - {word})
