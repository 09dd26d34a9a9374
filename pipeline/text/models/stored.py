"""What a skops archive holds, read without scikit-learn: its import costs seconds and a hundred megabytes.

Only JSON and NumPy's own arrays are read and nothing in a file is run or imported. A fitted object becomes a plain
namespace of its attributes.
"""

from __future__ import annotations

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np

OBJECTS = "sklearn."  # whose objects are expected
Node = dict[str, object]


class UnexpectedTypeError(Exception):
    """An archive with an object of another library; the message is the type's name."""


def stored_object(body: bytes) -> object:
    """Return the object of a skops archive: lists, tuples, dicts, arrays, numbers, texts, and namespaces of them.

    Types, functions and slices are None. Raises UnexpectedTypeError, and errors of zipfile, json, NumPy and lookups
    where the file is no such archive.
    """
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return _Reader(archive).read(json.loads(archive.read("schema.json")))


class _Reader:
    """Reads the nodes of one archive; a node met before may be named by its id alone."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._read: dict[object, object] = {}

    def read(self, node: Node) -> object:
        if node["__loader__"] != "CachedNode":
            self._read[node["__id__"]] = self._content(node)
        return self._read[node["__id__"]]

    def _content(self, node: Node) -> object:
        content = node.get("content")
        match node["__loader__"]:
            case "JsonNode":
                return json.loads(str(content))
            case "NdArrayNode" if node.get("type") == "numpy":
                return np.load(io.BytesIO(self._archive.read(str(node["file"]))), allow_pickle=False)
            case "ListNode" if isinstance(content, list):
                return [self.read(each) for each in content]
            case "TupleNode" if isinstance(content, list):
                return tuple(self.read(each) for each in content)
            case "DictNode" if isinstance(content, dict):
                return {name: self.read(each) for name, each in content.items()}
            case "ObjectNode" if str(node["__module__"]).startswith(OBJECTS) and isinstance(content, dict):
                attributes = self.read(content)
                return SimpleNamespace(**attributes) if isinstance(attributes, dict) else None
            case "TypeNode" | "SliceNode":
                return None
        raise UnexpectedTypeError(f"{node.get('__module__')}.{node.get('__class__')}")
