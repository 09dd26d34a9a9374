"""Model files: skops, read as data and only when the hash is the one written beside it; never a pickle."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.core.errors import PipelineError
from pipeline.core.files import write_atomically
from pipeline.text.models.stored import UnexpectedTypeError, stored_object

logger = logging.getLogger(__name__)

T = TypeVar("T")
REMEDY = "run `groundswell train`"
FIRST, SECOND, SYMPTOM, NEWS = "outage.skops", "outage-second.skops", "symptom.skops", "news.skops"


class ModelFileError(PipelineError):
    """A model file that is missing, cut, foreign or changed; the message says which, and what to do."""


def save(model: object, path: Path) -> str:
    """Write a model and its hash beside it; return the model's id. Raises StoreError where they cannot be written."""
    import skops.io

    body = _canonical(skops.io.dumps(model))
    digest = hashlib.sha256(body).hexdigest()
    for target, content in ((path, body), (path.with_suffix(path.suffix + ".sha256"), f"{digest}\n".encode())):
        write_atomically(target, content)
    return digest[:12]


def _canonical(body: bytes) -> bytes:
    """Return a skops archive without what changes from run to run: addresses used as names, and times of files."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = files.pop("schema.json").decode()
    numbers: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return match[1] + numbers.setdefault(match[2], str(len(numbers) + 1)) + match[3]

    schema = re.sub(r'("__id__": )(\d+)()', number, schema)
    schema = re.sub(r"()(\d+)(\.npy)", number, schema)
    # a reference to an object met before names its address as content
    schema = re.sub(r'("content": ")(\d+)(")', lambda m: number(m) if m[2] in numbers else m[0], schema)
    renamed = {f"{numbers[name.removesuffix('.npy')]}.npy": data for name, data in files.items()}
    fresh = io.BytesIO()
    with zipfile.ZipFile(fresh, "w") as archive:
        for name, data in sorted({**renamed, "schema.json": schema.encode()}.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return fresh.getvalue()


def read_verified(path: Path) -> tuple[str, bytes]:
    """Return a model file's hash and content; raises ModelFileError unless the hash is the one written beside it."""
    stamp = path.with_suffix(path.suffix + ".sha256")
    try:
        body, wanted = path.read_bytes(), stamp.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path.name} or its .sha256 is missing; {REMEDY}") from error
    digest = hashlib.sha256(body).hexdigest()
    if digest != wanted:
        raise ModelFileError(f"{path.name} is not the file its .sha256 speaks of; {REMEDY}")
    return digest, body


def read(path: Path, shaped: Callable[[object], T]) -> tuple[str, T]:
    """Return a model's id and what `shaped` makes of the model, given as the attributes of its objects.

    Raises ModelFileError; what is wrong with the model itself `shaped` says as a ModelFileError of its own. Any other
    exception is logged with its traceback.
    """
    digest, body = read_verified(path)
    try:
        return digest[:12], shaped(stored_object(body))
    except UnexpectedTypeError as error:
        raise ModelFileError(f"{path.name} cannot be used: holds a type that is not expected: {error}") from error
    except ModelFileError as error:
        raise ModelFileError(f"{path.name} cannot be used: {error}") from error
    except Exception as error:  # a file that is none of ours may fail anywhere inside
        logger.exception("%s cannot be used", path)
        raise ModelFileError(f"{path.name} cannot be used: {str(error)[:160]}") from error
