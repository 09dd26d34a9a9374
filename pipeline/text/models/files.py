"""Model files: arrays, read as data and only when their hash is the one stored with them; never a pickle."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from pipeline.core.files import write_atomically
from pipeline.text.models.arrays import Array, ArrayFile, ArraysError, Model, mapped, packed
from pipeline.text.models.checks import REMEDY, ModelFileError, checked_digest

logger = logging.getLogger(__name__)

T = TypeVar("T")
VERSION = "1"  # of what the files hold; raised when a program could misread those of another


def save(model: Model, path: Path) -> str:
    """Write a model, and its hash next to it; return the model's id. Raises StoreError where they cannot be written."""
    body = packed({**model.texts, "version": VERSION}, model.arrays)
    digest = hashlib.sha256(body).hexdigest()
    for target, content in ((path, body), (path.with_suffix(path.suffix + ".sha256"), f"{digest}\n".encode())):
        write_atomically(target, content)
    return digest[:12]


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
