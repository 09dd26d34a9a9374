"""Model files: arrays, read as data and only when the hash is the one written beside them; never a pickle."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.config.paths import CACHE
from pipeline.core.errors import PipelineError
from pipeline.core.files import write_atomically
from pipeline.core.kept import digest_of
from pipeline.text.models.arrays import Array, ArrayFile, ArraysError, Model, mapped, packed

logger = logging.getLogger(__name__)

T = TypeVar("T")
REMEDY = "run `groundswell train`"
FIRST, SECOND, SYMPTOM, NEWS = (
    "outage.safetensors",
    "outage-second.safetensors",
    "symptom.safetensors",
    "news.safetensors",
)
VERSION = "1"  # of what the files hold; raised when a program could misread those of another


class ModelFileError(PipelineError):
    """A model file that is missing, cut, foreign or changed; the message says which, and what to do."""


def save(model: Model, path: Path) -> str:
    """Write a model and its hash beside it; return the model's id. Raises StoreError where they cannot be written."""
    body = packed({**model.texts, "version": VERSION}, model.arrays)
    digest = hashlib.sha256(body).hexdigest()
    for target, content in ((path, body), (path.with_suffix(path.suffix + ".sha256"), f"{digest}\n".encode())):
        write_atomically(target, content)
    return digest[:12]


def checked_digest(path: Path) -> str:
    """Return the SHA-256 of a model file; raises ModelFileError unless it is the one written beside it."""
    stamp = path.with_suffix(path.suffix + ".sha256")
    try:
        wanted = stamp.read_text(encoding="ascii").strip()
        digest = digest_of(path, CACHE)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path.name} or its .sha256 is missing; {REMEDY}") from error
    if digest != wanted:
        raise ModelFileError(f"{path.name} is not the file its .sha256 speaks of; {REMEDY}")
    return digest


def read(path: Path, shaped: Callable[[ArrayFile], T]) -> tuple[str, T]:
    """Return a model's id and what `shaped` makes of what its file holds.

    Raises ModelFileError; what is wrong with the model itself `shaped` says as a ModelFileError or an ArraysError of
    its own. Any other exception is logged with its traceback.
    """
    digest = checked_digest(path)
    try:
        stored = mapped(path)
        if stored.texts.get("version") != VERSION:
            raise ModelFileError(f"made by another version; {REMEDY}")
        return digest[:12], shaped(stored)
    except (ModelFileError, ArraysError) as error:
        raise ModelFileError(f"{path.name} cannot be used: {error}") from error
    except Exception as error:  # a file that is none of ours may fail anywhere inside
        logger.exception("%s cannot be used", path)
        raise ModelFileError(f"{path.name} cannot be used: {str(error)[:160]}") from error


def number(value: float) -> Array:
    """Return a number as an array of one, as it is stored."""
    return np.array([value], np.float64)
