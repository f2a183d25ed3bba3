"""Vietnamese text as citizens type it: composed, folded, abbreviated. Pure functions, no framework."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from underthesea import text_normalize, word_tokenize

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_WORD = re.compile(r"[^\W_]+(?:[./-][^\W_]+)*", re.UNICODE)
_SPACES = re.compile(r"\s+")
CLAUSE_END = re.compile(r"[,.!?;\n]")
"""A mark after which another clause may begin."""


@dataclass(frozen=True)
class Span:
    """One word of a text: its written form, and where it stands in the citizen's own text."""

    text: str
    """Composed (NFC), tone marks in their standard place."""
    start: int
    end: int


def clean(text: str) -> str:
    """Composed (NFC) text without invisible characters, white space folded to single blanks."""
    return _SPACES.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text))).strip()


def normalise(text: str) -> str:
    """`clean`, with tone marks in their standard place ("hoà" → "hòa", "cưả" → "cửa")."""
    return str(text_normalize(clean(text)))


_PLAIN = {
    **{code: unicodedata.normalize("NFD", chr(code))[0] for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))},
    **dict.fromkeys(range(0x300, 0x370)),
    ord("đ"): "d",
}
"""Latin letters and marks → what is left of them without diacritics, which is quicker than to take each apart."""


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case without diacritics: "Đăng ký" → "dang ky". The length may change."""
    plain = text.lower().translate(_PLAIN)
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def is_accented(text: str) -> bool:
    """Whether the writer used Vietnamese diacritics at all (so that their absence means nothing)."""
    return fold(text) != unicodedata.normalize("NFC", text).lower()


def words(text: str) -> list[str]:
    """The syllables and numbers of a text, lower case, punctuation dropped."""
    return _WORD.findall(text.lower())


def spans(text: str) -> list[Span]:
    """Words by `underthesea.word_tokenize`, with offsets into `text` as it was given.

    The text is composed first; offsets are carried back through a map of characters, so they
    stay true for decomposed (NFD) input and for words that the segmenter rewrites.
    """
    composed, origin = _compose_with_offsets(text)
    found: list[Span] = []
    position = 0
    for token in word_tokenize(composed):
        start = _skip_spaces(composed, position)
        end = start
        for _ in range(sum(not c.isspace() for c in token)):
            end = _skip_spaces(composed, end) + 1
        end = min(end, len(composed))
        if start >= end:
            continue
        found.append(Span(normalise(composed[start:end]), origin[start], origin[end]))
        position = end
    return found


def _skip_spaces(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _compose_with_offsets(text: str) -> tuple[str, list[int]]:
    """NFC text, and for each of its characters (and its end) the offset in `text`."""
    composed: list[str] = []
    origin: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        cluster = unicodedata.normalize("NFC", text[start:end])
        cluster = " " if _INVISIBLE.fullmatch(cluster) else cluster
        composed.append(cluster)
        origin.extend([start] * len(cluster))
        start = end
    origin.append(len(text))
    return "".join(composed), origin


def fits(written: str, right: str) -> bool:
    """Whether a syllable as typed can be the one meant: letter by letter, or without diacritics."""
    return written == right or written == fold(right)


@dataclass(frozen=True)
class Phrases:
    """Finds any of some phrases in a text: accents that were typed must be right, missing ones do not matter."""

    by_first: Mapping[str, tuple[tuple[str, ...], ...]]
    """Folded first syllable → phrases as syllables, longest first."""

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Phrases:
        table: dict[str, list[tuple[str, ...]]] = {}
        for phrase in phrases:
            syllables = tuple(words(normalise(phrase)))
            table.setdefault(fold(syllables[0]), []).append(syllables)
        return cls({first: tuple(sorted(found, key=len, reverse=True)) for first, found in table.items()})

    def find(self, text: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Position and phrase of every one found, left to right; the longest at each place, none overlapping."""
        position = 0
        while position < len(text):
            for phrase in self.by_first.get(fold(text[position]), ()):
                span = text[position : position + len(phrase)]
                if len(span) == len(phrase) and all(map(fits, span, phrase)):
                    yield position, " ".join(phrase)
                    position += len(phrase) - 1
                    break
            position += 1


@dataclass(frozen=True)
class Synonyms:
    """Several names of one thing ("sổ hồng", "bìa đỏ"), read as the one that most people say ("sổ đỏ")."""

    common: Mapping[str, str]
    """Name → common name, both in lower case."""

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases.of(self.common)

    def unify(self, text: str) -> str:
        """The text with the common name of everything that has one; the longest name counts."""
        if not self.common:
            return text
        said, out, position = text.split(), list[str](), 0
        for at, phrase in self._phrases.find(said):
            out += [*said[position:at], self.common[phrase]]
            position = at + len(phrase.split())
        return " ".join([*out, *said[position:]])


@dataclass(frozen=True)
class Abbreviations:
    """What short forms stand for. Keys are words in lower case; longer runs of words win.

    `always` holds forms that mean one thing only ("cccd"); `chat` holds chat spelling that is
    read so only between other words ("j" → "gì"), since a word list applied blindly makes a
    text worse (measured: see docs/architecture.md).
    """

    always: Mapping[str, str]
    chat: Mapping[str, str]
    synonyms: Synonyms = field(default_factory=lambda: Synonyms({}))

    def expand(self, text: str) -> str:
        """The text with its short forms written out and one word for one thing. Punctuation and case are not kept."""
        return self.synonyms.unify(" ".join(self.expand_word(word) for word in words(clean(text))))

    def expand_word(self, word: str) -> str:
        """One word written out, or the word itself (lower case)."""
        key = word.lower()
        return self.always.get(key) or self.chat.get(key) or key


NO_ABBREVIATIONS = Abbreviations({}, {})
