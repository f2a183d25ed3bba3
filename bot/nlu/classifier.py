"""A linear support vector machine on whatever sparse features the pipeline made."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy import sparse
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

RANKING_LENGTH = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearSvmClassifier(GraphComponent, IntentClassifier):  # type: ignore[misc]
    """One-against-the-rest SVM on tf-idf weighted counts.

    Confidences are a softmax of the margins: they order the intents, and are no probabilities.
    Why this one: docs/classifiers.md.
    """

    @classmethod
    def required_components(cls) -> List[type]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        """`C`: inverse strength of regularisation; `sharpness`: of the softmax over margins."""
        return {"C": 1.0, "sharpness": 4.0}

    def __init__(
        self,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Optional[Pipeline] = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearSvmClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearSvmClassifier:
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, joblib.load(folder / "svm.joblib"))

    def train(self, training_data: TrainingData) -> Resource:
        messages = [message for message in training_data.intent_examples if message.features]
        intents = [message.get(INTENT) for message in messages]
        if len(set(intents)) > 1:
            self._model = make_pipeline(TfidfTransformer(sublinear_tf=True), LinearSVC(C=self._config["C"]))
            self._model.fit(_features(messages), intents)
        with self._model_storage.write_to(self._resource) as folder:
            joblib.dump(self._model, folder / "svm.joblib")
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            if self._model is not None and message.features:
                self._classify(message, self._model)
        return messages

    def _classify(self, message: Message, model: Pipeline) -> None:
        margins = np.atleast_1d(model.decision_function(_features([message]))[0])
        if len(margins) == 1:
            margins = np.array([-margins[0], margins[0]])
        shares = softmax(self._config["sharpness"] * margins)
        ranking = [
            {"name": str(model.classes_[i]), "confidence": float(shares[i])}
            for i in np.argsort(-shares)[:RANKING_LENGTH]
        ]
        message.set(INTENT, ranking[0], add_to_output=True)
        message.set("intent_ranking", ranking, add_to_output=True)


def _features(messages: List[Message]) -> Any:
    """Sentence features of all featurizers, side by side."""
    return sparse.vstack([message.get_sparse_features(TEXT)[1].features for message in messages]).tocsr()
