"""YAML of a study, read without harm: no objects, no bombs, no surprises of type.

A file is looked through before anything is built of it, so that nesting, aliases and sizes that no
study has are refused at their line.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from analysis.plain import strange

# The largest study that was written has 25 kB, 2,500 nodes and 6 levels.
MAX_BYTES = 300_000
MAX_NODES = 30_000
MAX_DEPTH = 40
CORE = "tag:yaml.org,2002:"
KNOWN = {CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")}
MERGE = CORE + "merge"

Lines = dict[tuple, int]


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML where only what looks like a number is one: 30_39, yes and no stay text.

    By libyaml where PyYAML has it, ten times as fast.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, AttributeError, TypeError, KeyError) as error:
            # A day that no month has, a number too long to be one.
            kind = node.tag.removeprefix(CORE)
            raise _error(node.start_mark, f"this cannot be read as {kind}: {error}") from error


_PLAIN = {
    CORE + "bool": re.compile(r"^(?:true|false)$"),
    CORE + "int": re.compile(r"^[-+]?\d+$"),
    CORE + "float": re.compile(r"^[-+]?\d+\.\d+$"),
}
Loader.yaml_implicit_resolvers = {
    first: [(tag, _PLAIN.get(tag, pattern)) for tag, pattern in resolvers]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:
    """YAML of our own as study.yml is read: safe, and without surprises of type."""
    return yaml.load(text, Loader=Loader)


def read_study(text: str) -> tuple[Any, Lines]:
    """A tree that others wrote, and the line of each key and item in it.

    Raises yaml.YAMLError, with the place as `problem_mark` where there is one: nested too deep, too
    large once its aliases are written out, a tag or a character that no study needs, a key twice.
    """
    _look_through(text)
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        _size(node, {}, ())
        return loader.construct_document(node), _lines(node)
    finally:
        loader.dispose()


def _error(mark: Any, said: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=said, problem_mark=mark)


def _look_through(text: str) -> None:
    """Depth and number of nodes, told by a reader that goes on without nesting."""
    if len(text) > MAX_BYTES:
        raise _error(None, f"{len(text)} characters, and {MAX_BYTES} at most are read")
    depth = nodes = 0
    for event in yaml.parse(text, Loader=Loader):
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _error(event.start_mark, f"more than {MAX_DEPTH} levels of keys and lists")
        if nodes > MAX_NODES:
            raise _error(event.start_mark, f"more than {MAX_NODES} keys and values")


def _size(node: yaml.Node, known: dict[int, int], above: tuple[int, ...]) -> int:
    """How many nodes there are with every alias written out."""
    if id(node) in above:
        raise _error(node.start_mark, "an alias of what it stands in")
    if id(node) not in known:
        known[id(node)] = 1 + sum(_size(part, known, (*above, id(node))) for part in _parts(node))
        if known[id(node)] > MAX_NODES:
            raise _error(node.start_mark, f"more than {MAX_NODES} values once aliases are followed")
    return known[id(node)]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    """What stands in a node, after a look at the node itself."""
    if node.tag not in KNOWN and node.tag != MERGE:
        raise _error(node.start_mark, f"the tag {node.tag!r} is not read")
    if isinstance(node, yaml.ScalarNode):
        if sign := strange(node.value):
            raise _error(node.start_mark, f"a character without a shape ({sign})")
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error(key.start_mark, "a key that is no text")
        if key.value in keys and key.tag != MERGE:
            raise _error(key.start_mark, f"the key {key.value!r} stands twice")
        keys.add(key.value)
    return [part for pair in node.value for part in pair]


def _lines(node: yaml.Node, at: tuple = ()) -> Lines:
    """Line of each key of a YAML tree, so that a mistake can be pointed at."""
    found: Lines = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            found[place] = key.start_mark.line + 1
            found |= _lines(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            place = (*at, str(number))
            found[place] = value.start_mark.line + 1
            found |= _lines(value, place)
    return found
