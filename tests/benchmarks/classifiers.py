"""Compares intent classifiers on a held-out fifth of `nlu_data/intents`, accented and not.

`make bench` writes the table of docs/classifiers.md. Every configuration runs in a process of its own, so that
its memory is its own. Times are medians.
"""

from __future__ import annotations

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
from typing import Any

from ruamel.yaml import YAML

from bot.console import quiet
from bot.phrasebook import NLU_DATA
from bot.settings import PROJECT_ROOT
from bot.text import fold

TABLE = PROJECT_ROOT / "docs" / "classifiers.md"

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


def examples() -> Iterator[tuple[str, str]]:
    for path in sorted((NLU_DATA / "intents").glob("*.yml")):
        for intent in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in intent["examples"].splitlines():
                if line.startswith("- "):
                    yield line[2:].strip(), intent["intent"]


def measure(name: str) -> dict[str, Any]:
    """Train and test one configuration in this process."""
    quiet()
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    shuffled = sorted(set(examples()))
    random.Random(7).shuffle(shuffled)
    cut = len(shuffled) // 5
    held_out, kept = shuffled[:cut], shuffled[cut:]
    with tempfile.TemporaryDirectory() as folder:
        config, data = Path(folder) / "config.yml", Path(folder) / "nlu.yml"
        yaml = YAML()
        yaml.dump({"recipe": "default.v1", "language": "vi", "pipeline": CONFIGURATIONS[name]}, config)
        by_intent: dict[str, list[str]] = {}
        for text, intent in kept:
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

        accented = sum(right(*example) for example in held_out) / cut
        bare = sum(right(fold(text), intent) for text, intent in held_out) / cut
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"accented": accented, "bare": bare, "ms": 1000 * median(times), "train": trained, "mb": memory, "n": cut}


def main() -> None:
    rows = []
    for name in CONFIGURATIONS:
        done = subprocess.run([sys.executable, "-m", __spec__.name, name], capture_output=True, text=True, check=True)
        rows.append((name, json.loads(done.stdout.splitlines()[-1])))
        print(name, rows[-1][1], flush=True)
    lines = [
        "# Intent classifiers, compared",
        "",
        f"A held-out fifth of `nlu_data/intents` ({rows[0][1]['n']} sentences), made by `make bench` on 2 cores.",
        "Train time includes Rasa's own start; memory is the peak of the whole process.",
        "",
        "| configuration | accuracy | without diacritics | median ms a message | training s | peak MB |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {r['accented']:.1%} | {r['bare']:.1%} | {r['ms']:.1f} | {r['train']:.0f} | {r['mb']:.0f} |"
            for name, r in rows
        ),
        "",
    ]
    TABLE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
