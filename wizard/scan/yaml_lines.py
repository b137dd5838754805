"""Lines of values in a YAML document, by the way to them."""

from __future__ import annotations

import yaml


def line_of(node: yaml.Node | None, *way: str | int) -> int | None:
    """The line (from 1) where the value at `way` (keys and indexes) begins, or None where there is none."""
    for step in way:
        if isinstance(node, yaml.MappingNode) and isinstance(step, str):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return None if node is None else node.start_mark.line + 1
