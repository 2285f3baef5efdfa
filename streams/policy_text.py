"""From the text of a policy (YAML 1.2, of which JSON is a part) to a plain value and where each part of it stands.

Dates and times stay text, `off` is a word, and numbers remember how they were written (`version: 1.10`).
What a hostile text could do is bounded: its size, its depth, and what its aliases expand to.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from schemas.policy_problem import Path

TEXT_MAX = 512 * 1024
"""Longest text read, in characters."""
DEPTH_MAX = 30
PARTS_MAX = 100_000
"""Most values in one document, aliases counted as often as they are used."""

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CORE = "tag:yaml.org,2002:"
_SURROGATE = re.compile("[\ud800-\udfff]")


class WrittenInt(int):
    """A whole number that knows how it was written."""

    text: str


class WrittenFloat(float):
    """A number that knows how it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, counted from 1."""

    line: int
    column: int


class TextError(ValueError):
    """A text that cannot be read: what is wrong, and where."""

    def __init__(self, message: str, place: Place, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.path = path


@dataclass(slots=True)
class Parsed:
    """A document's value, the place of each of its values and keys, and what was wrong without stopping the reader."""

    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[TextError] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place | None:
        """Where `path` stands (or its key), or else the nearest part around it that stands anywhere."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path)


def parse(text: str) -> Parsed:
    """The value of a YAML or JSON text; raises TextError where it is none."""
    text = text.removeprefix("\ufeff")
    if len(text) > TEXT_MAX:
        raise TextError(f"longer than {TEXT_MAX} characters", Place(1, 1))
    root = _compose(text)
    parsed = Parsed()
    if root is None:
        raise TextError("the file is empty", Place(1, 1))
    parsed.value = _Reader(parsed).value(root, ())
    return parsed


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    try:
        node: Node | None = yaml.compose(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise TextError(_reason(problem), place) from None
    except ReaderError as problem:
        before = text[: problem.position]
        place = Place(before.count("\n") + 1, problem.position - (before.rfind("\n") + 1) + 1)
        raise TextError(f"the character U+{ord(text[problem.position]):04X} is not allowed", place) from None
    except RecursionError:
        raise TextError(f"nested more than {DEPTH_MAX} deep", Place(1, 1)) from None
    except (YAMLError, ValueError, IndexError, KeyError, TypeError, AssertionError) as problem:
        raise TextError(f"not YAML: {str(problem)[:200]}", Place(1, 1)) from None
    return node


def _reason(problem: MarkedYAMLError) -> str:
    what = " ".join(str(problem.problem or "not YAML").split())
    if "'\\t'" in what:
        return "a tab cannot indent YAML: use spaces"
    return f"{what} ({problem.context})" if problem.context else what


class _Reader:
    """Turns nodes into values, and notes where they stand."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._left = PARTS_MAX

    def value(self, node: Node, path: Path) -> Any:
        place = _place(node)
        self._left -= 1
        if self._left < 0:
            raise TextError(f"more than {PARTS_MAX} values, aliases counted each time they are used", place)
        if len(path) > DEPTH_MAX:
            raise TextError(f"nested more than {DEPTH_MAX} deep", place)
        self._parsed.places[path] = place
        if isinstance(node, MappingNode | SequenceNode) and str(node.tag) not in _COLLECTIONS:
            self._unknown_tag(node, path)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._note("a key must be text", key_node, path)
                continue
            key = self._text(key_node, path)
            inner = (*path, key)
            if key in found:
                first = self._parsed.keys[inner].line
                self._note(f"the key {key[:60]!r} stands twice, first in line {first}", key_node, path)
                continue
            self._parsed.keys[inner] = _place(key_node)
            found[key] = self.value(value_node, inner)
        return found

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = str(node.tag)
        if not tag.startswith(_CORE) or tag.removeprefix(_CORE) not in _TAGS:
            self._unknown_tag(node, path)
            return None
        if node.style is None and tag != f"{_CORE}str":
            return _resolve(str(node.value))
        return self._text(node, path)

    def _text(self, node: ScalarNode, path: Path) -> str:
        text = str(node.value)
        if _SURROGATE.search(text):  # JSON writes characters beyond U+FFFF as two escapes
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if "\ufffd" in text:
                self._note("half of a surrogate pair", node, path)
        return text

    def _unknown_tag(self, node: Node, path: Path) -> None:
        tag = str(node.tag).removeprefix(_CORE)
        self._note(f"the tag {tag[:60]!r} is not known here: leave it out", node, path)

    def _note(self, message: str, node: Node, path: Path) -> None:
        self._parsed.problems.append(TextError(message, _place(node), path))


_COLLECTIONS = {f"{_CORE}map", f"{_CORE}seq"}
_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "merge", "value"}


def _place(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _resolve(text: str) -> Any:
    """The value of a plain scalar in YAML 1.2's core schema; dates and anything unusual are text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        whole = WrittenInt(text)
        whole.text = text
        return whole
    if _FLOAT.fullmatch(text) and len(text) < 40:
        number = WrittenFloat(text)
        number.text = text
        return number
    return text
