"""Compares intent classifiers, accented and not, on a held-out fifth of `nlu_data/intents` or on another corpus.

`make bench` writes the first table of docs/classifiers.md. Another corpus lies in a folder in the layout of PhoATIS
(Dao et al., 2021): `train/seq.in` and `test/seq.in` with a sentence a line, `train/label` and `test/label` with its
intent; `python -m tests.benchmarks.classifiers --corpus FOLDER` prints the same table of it. Every configuration runs
in a process of its own, so that its memory is its own. Times are medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Optional

from ruamel.yaml import YAML

from bot.console import quiet
from bot.phrasebook import NLU_DATA
from bot.settings import PROJECT_ROOT
from bot.text import fold

TABLE = PROJECT_ROOT / "docs" / "classifiers.md"
END_OF_TABLE = "\n## "
"""What follows in docs/classifiers.md from the first such line on is written by hand, and stays."""

_TOKENIZER = {"name": "bot.nlu.tokenizer.UndertheseaTokenizer"}
_BOTH_SPELLINGS = {**_TOKENIZER, "unaccented_copies": True}
_COUNTS = [
    {"name": "CountVectorsFeaturizer", "use_lemma": False, "min_ngram": 1, "max_ngram": 2},
    {"name": "CountVectorsFeaturizer", "min_ngram": 1, "max_ngram": 2},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 2, "max_ngram": 4},
]
CONFIGURATIONS: dict[str, list[dict[str, Any]]] = {
    "Linear SVM on tf-idf (ours)": [_TOKENIZER, {"name": "bot.nlu.classifier.LinearSvmClassifier"}],
    "Logistic regression on counts": [
        _BOTH_SPELLINGS,
        *_COUNTS,
        {"name": "LogisticRegressionClassifier", "max_iter": 200},
    ],
    "Logistic regression, no unaccented copies": [
        _TOKENIZER,
        *_COUNTS[:1],
        {"name": "LogisticRegressionClassifier", "max_iter": 200},
    ],
    "DIET, 30 epochs": [
        _BOTH_SPELLINGS,
        *_COUNTS,
        {"name": "DIETClassifier", "epochs": 30, "entity_recognition": False, "constrain_similarities": True},
    ],
}

Example = tuple[str, str]
"""A sentence and its intent."""


class Corpus(NamedTuple):
    kept: list[Example]
    """What is taught."""
    held_out: list[Example]


def own() -> Corpus:
    """Four fifths and one fifth of the project's examples."""
    shuffled = sorted(set(_examples()))
    random.Random(7).shuffle(shuffled)
    cut = len(shuffled) // 5
    return Corpus(shuffled[cut:], shuffled[:cut])


def _examples() -> Iterator[Example]:
    for path in sorted((NLU_DATA / "intents").glob("*.yml")):
        for intent in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in intent["examples"].splitlines():
                if line.startswith("- "):
                    yield line[2:].strip(), intent["intent"]


def of_folder(folder: Path) -> Corpus:
    """A corpus in the layout of PhoATIS."""
    return Corpus(*(_part(folder / part) for part in ("train", "test")))


def _part(folder: Path) -> list[Example]:
    sentences, intents = ((folder / name).read_text(encoding="utf-8").splitlines() for name in ("seq.in", "label"))
    if len(sentences) != len(intents):
        raise SystemExit(f"{folder}: {len(sentences)} sentences, but {len(intents)} intents")
    return list(zip(map(str.strip, sentences), intents))


def measure(name: str, corpus: Corpus) -> dict[str, Any]:
    """Train and test one configuration in this process."""
    quiet()
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    with tempfile.TemporaryDirectory() as folder:
        config, data = Path(folder) / "config.yml", Path(folder) / "nlu.yml"
        yaml = YAML()
        yaml.dump({"recipe": "default.v1", "language": "vi", "pipeline": CONFIGURATIONS[name]}, config)
        by_intent: dict[str, list[str]] = {}
        for text, intent in corpus.kept:
            by_intent.setdefault(intent, []).append(f"- {text}\n")
        yaml.dump(
            {"version": "3.1", "nlu": [{"intent": i, "examples": "".join(t)} for i, t in by_intent.items()]}, data
        )
        start = time.perf_counter()
        model = train_nlu(str(config), str(data), folder)
        trained = time.perf_counter() - start
        agent = Agent.load(str(model))
        times: list[float] = []

        def right(text: str, intent: str) -> bool:
            begin = time.perf_counter()
            found = asyncio.run(agent.parse_message(text))
            times.append(time.perf_counter() - begin)
            return bool(found["intent"]["name"] == intent)

        number = len(corpus.held_out)
        accented = sum(right(*example) for example in corpus.held_out) / number
        bare = sum(right(fold(text), intent) for text, intent in corpus.held_out) / number
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"accented": accented, "bare": bare, "ms": 1000 * median(times), "train": trained, "mb": memory}


def compare(corpus: Optional[Path]) -> str:
    """A table of the configurations, each measured in a process of its own."""
    lines = [
        "| configuration | accuracy | without diacritics | median ms a message | training s | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in CONFIGURATIONS:
        command = [sys.executable, "-m", __spec__.name, "--only", name]
        command += ["--corpus", str(corpus)] if corpus else []
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        r = json.loads(done.stdout.splitlines()[-1])
        lines.append(
            f"| {name} | {r['accented']:.1%} | {r['bare']:.1%} | {r['ms']:.1f} | {r['train']:.0f} | {r['mb']:.0f} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([*lines, ""])


def _write(table: str) -> None:
    """Replace the first table of docs/classifiers.md."""
    _, mark, by_hand = TABLE.read_text(encoding="utf-8").partition(END_OF_TABLE)
    head = [
        "# Intent classifiers, compared",
        "",
        f"A held-out fifth of `nlu_data/intents` ({len(own().held_out)} sentences), made by `make bench` on 2 cores.",
        "Train time includes Rasa's own start; memory is the peak of the whole process.",
        "",
    ]
    TABLE.write_text("\n".join([*head, table]) + mark + by_hand, encoding="utf-8")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--corpus", type=Path, help="folder of another corpus, in the layout of PhoATIS")
    asked.add_argument(
        "--only", choices=CONFIGURATIONS, help="measure one configuration, and print its figures as JSON"
    )
    said = asked.parse_args()
    if said.only:
        print(json.dumps(measure(said.only, of_folder(said.corpus) if said.corpus else own())))
    elif said.corpus:
        print(compare(said.corpus))
    else:
        _write(compare(None))


if __name__ == "__main__":
    main()
