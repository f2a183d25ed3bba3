"""What is printed is ours: third-party warnings and Rasa's telemetry are off before anything is imported."""

from __future__ import annotations

import logging
import os
import warnings

import structlog


def quiet() -> None:
    """To be called before Rasa or TensorFlow is imported. Anything already set in the environment wins."""
    for name, value in {
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "SANIC_SERVER_LOG_LEVEL": "ERROR",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        # Rasa asks git about the project at every start; without git's own messages.
        "GIT_PYTHON_REFRESH": "quiet",
        "TQDM_DISABLE": "1",
    }.items():
        os.environ.setdefault(name, value)
    # Several libraries put the warning filters back when they are imported.
    warnings.filterwarnings("ignore")
    warnings.showwarning = lambda *args, **kwargs: None
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
