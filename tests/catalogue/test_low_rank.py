from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from bot.catalogue import low_rank
from bot.catalogue.low_rank import LowRank, Recipe, keys, teach

RECIPE = Recipe(rank=6, epochs=4, rate=0.02, batch=8)
TOPICS, TERMS = 5, 40


@pytest.fixture
def lessons() -> tuple[Any, Any]:
    """Examples of five topics, each with terms of its own and some of everybody's."""
    rng = np.random.default_rng(3)
    owner = rng.integers(0, TOPICS, 90)
    features = np.zeros((90, TERMS), np.float32)
    for row, topic in enumerate(owner):
        features[row, rng.choice(np.arange(topic * 6, topic * 6 + 6), 3)] = 1
        features[row, rng.choice(np.arange(30, TERMS), 2)] = 0.5
    return sparse.csr_matrix(features), owner


def taught(features: Any, owner: Any, names: list[str], recipe: Recipe = RECIPE) -> LowRank:
    terms, topics = keys(f"t{i}" for i in range(features.shape[1])), keys(f"topic{i}" for i in range(TOPICS))
    return teach(features, owner, terms, topics, keys(names), recipe, seed=0)


def test_it_learns(lessons: tuple[Any, Any]) -> None:
    features, owner = lessons
    judge = taught(features, owner, [str(i) for i in range(90)], Recipe(6, 30, 0.02, 8))
    shares = np.exp(judge.log_probabilities(features))
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-4)
    assert (shares.argmax(axis=1) == owner).mean() > 0.95


def test_what_is_kept_and_read_again_thinks_the_same(lessons: tuple[Any, Any]) -> None:
    features, owner = lessons
    judge = taught(features, owner, [str(i) for i in range(90)])
    kept = pickle.dumps(judge)
    assert len(kept) < 0.7 * sum(weights.nbytes for weights in vars(judge).values()) + 1000
    again = pickle.loads(kept).log_probabilities(features)
    assert again.dtype == np.float32 and np.allclose(again, judge.log_probabilities(features), atol=0.01)


def test_touching_only_what_a_batch_holds_comes_to_the_same_as_plain_adam(lessons: tuple[Any, Any]) -> None:
    features, owner = lessons
    names = [str(i) for i in range(90)]
    judge, plain = taught(features, owner, names), plain_adam(features.toarray(), owner, names)
    for mine, theirs in zip((judge.inner, judge.inner_bias, judge.outer, judge.outer_bias), plain):
        assert np.allclose(mine, theirs, atol=2e-3), np.abs(mine - theirs).max()


def plain_adam(features: Any, owner: Any, names: list[str]) -> list[Any]:
    terms, topics, examples = keys(f"t{i}" for i in range(TERMS)), keys(f"topic{i}" for i in range(TOPICS)), keys(names)
    weights = [
        low_rank._spread(terms, RECIPE.rank, 0) * np.sqrt(6 / (TERMS + RECIPE.rank)),
        np.zeros(RECIPE.rank),
        low_rank._spread(topics, RECIPE.rank, 1).T * np.sqrt(6 / (RECIPE.rank + TOPICS)),
        np.zeros(TOPICS),
    ]
    weights = [w.astype(float) for w in weights]
    means, squares, step = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights], 0
    for epoch in range(RECIPE.epochs):
        order = np.argsort(low_rank._mixed(examples + np.uint64(1_000_003 + epoch)), kind="stable")
        for at in range(0, len(order), RECIPE.batch):
            rows, step = order[at : at + RECIPE.batch], step + 1
            hidden = features[rows] @ weights[0] + weights[1]
            blame = softmax(hidden @ weights[2] + weights[3], axis=1) - np.eye(TOPICS)[owner[rows]]
            deltas = blame @ weights[2].T
            gradients = [features[rows].T @ deltas, deltas.sum(0), hidden.T @ blame, blame.sum(0)]
            rate = RECIPE.rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for w, g, m, v in zip(weights, gradients, means, squares):
                m[:] = 0.9 * m + 0.1 * g / len(rows)
                v[:] = 0.999 * v + 0.001 * (g / len(rows)) ** 2
                w -= rate * m / (np.sqrt(v) + 1e-8)
    return weights


def test_the_same_lessons_in_another_order_teach_the_same(lessons: tuple[Any, Any]) -> None:
    features, owner = lessons
    names = [str(i) for i in range(90)]
    turned = np.arange(90)[::-1]
    one, other = taught(features, owner, names), taught(features[turned], owner[turned], [names[i] for i in turned])
    assert np.allclose(one.inner, other.inner, atol=1e-4)
