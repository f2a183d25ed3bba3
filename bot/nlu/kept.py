"""What components have learned, in files.

Not joblib: it reads and writes pickles by Python code, which takes three times as long where there are a million short
strings beside the arrays, as in a vocabulary.
"""

from __future__ import annotations

import pickle
import zlib
from pathlib import Path
from typing import Any

_FAST = 1
"""Level of compression. Rasa packs the whole anew, which takes six times as long with what is not packed yet."""


def save(learned: Any, path: Path) -> None:
    path.write_bytes(zlib.compress(pickle.dumps(learned, pickle.HIGHEST_PROTOCOL), _FAST))


def load(path: Path) -> Any:
    return pickle.loads(zlib.decompress(path.read_bytes()))
