"""A network as readable source that imports only torch; its ``state_dict`` has the keys of the built module."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat
from string import Formatter
from typing import Any

from engine.blueprint import Blueprint, Node
from engine.cost import blueprint_cost
from engine.networks.plan import POINTWISE, Step, plan

WIDTH = 110
INLINE_WIDTH = 72
NAMES = ("x", "y", "z", "u", "v", "w")
FUNCTIONS = {
    "relu": "F.relu",
    "relu6": "F.relu6",
    "gelu": "F.gelu",
    "swish": "F.silu",
    "hard_swish": "F.hardswish",
    "sigmoid": "torch.sigmoid",
    "hard_sigmoid": "F.hardsigmoid",
}


@dataclass(frozen=True)
class Expression:
    """Source text in which values are written as ``{node}``; ``atomic`` text needs no brackets beside an operator."""

    text: str
    atomic: bool = True

    @property
    def bracketed(self) -> str:
        """The text, in brackets if it needs them for a method call or a multiplication."""
        return self.text if self.atomic else f"({self.text})"

    @property
    def values(self) -> list[str]:
        """Names of the nodes that the text reads."""
        return [name for _, name, _, _ in Formatter().parse(self.text) if name]

    @property
    def is_name(self) -> bool:
        """Return whether the text is only the name of one value."""
        return self.values == [self.text[1:-1]]

    @property
    def width(self) -> int:
        """Number of characters of the text without the names of its values."""
        return len(self.text) - sum(len(name) for name in self.values)


def model_source(
    blueprint: Blueprint, title: str, class_names: Sequence[str] = (), preprocessing: Mapping[str, Any] | None = None
) -> str:
    """Return the module's text: class ``Network``, class names and preprocessing as constants, and a small main."""
    steps = plan(blueprint)
    spec = blueprint.input
    cost = blueprint_cost(blueprint)
    shape = f"{spec.channels}, {spec.height}, {spec.width}"
    forward = _Forward(blueprint, steps)
    layers = [
        (step.node.group, line if step.node.name in forward.live else f"{line}  # unused")
        for step in steps
        if (line := _layer(blueprint, step))
    ]
    passing = _grouped(forward.lines())
    title = title.replace("\\", "/").replace('"', "'")
    # Users' free text is written only into constants, where it is quoted, and never into the docstring.
    maps = [blueprint[name].shape for name in blueprint.features]
    sizes = ", ".join(f"(batch, {m.channels}, {m.height}, {m.width})" for m in maps)
    given = f"feature maps of shapes {sizes}" if maps else f"logits of shape (batch, {spec.classes})"
    kind, returns = ("Backbone", "tuple[Tensor, ...]") if maps else ("Network", "Tensor")
    scored = "Feature maps, finest first," if maps else f"{spec.classes} class scores"
    about = textwrap.fill(
        f"It maps float32 images of shape (batch, {shape}) to {given}. "
        f"It has {cost.params:,} parameters and needs {cost.madds:,} multiply-adds per image.",
        WIDTH,
    )
    return "\n".join(
        [
            '"""' + "\n\n".join([textwrap.fill(title, WIDTH, break_on_hyphens=False), about]) + '\n"""',
            "",
            "import torch",
            "from torch import Tensor, nn",
            *(["from torch.nn import functional as F"] if any("F." in line for line in passing) else []),
            "",
            f"CLASSES = {_literal(list(class_names))}",
            f"PREPROCESSING = {_literal(dict(preprocessing or {}))}",
            *([f"CHANNELS = {tuple(m.channels for m in maps)}"] if maps else []),
            "",
            "",
            f"class {kind}(nn.Module):",
            f'    """{scored} for images of {shape}."""',
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *_grouped(layers),
            "",
            f"    def forward(self, x: Tensor) -> {returns}:",
            *passing,
            "",
            "",
            'if __name__ == "__main__":',
            f"    network = {kind}().eval()",
            "    with torch.no_grad():",
            f"        scores = network(torch.zeros(1, {shape}))",
            "    shapes = [tuple(map.shape) for map in scores]" if maps else "    shapes = tuple(scores.shape)",
            '    print(f"output {shapes}, {sum(p.numel() for p in network.parameters()):,} parameters")',
            "",
        ]
    )


def _literal(value: Any) -> str:
    return pformat(value, width=WIDTH, compact=True, sort_dicts=False)


def _grouped(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Return the lines indented, with a comment before every new part."""
    result = []
    current = ""
    for group, line in lines:
        group = " ".join(group.split())
        if group and group != current:
            result.append(f"        # {group}")
            current = group
        result.append(f"        {line}")
    return result


def _layer(blueprint: Blueprint, step: Step) -> str:
    """Return the assignment of a layer with weights, or an empty text for other layers."""
    node = step.node
    source = blueprint[node.inputs[0]].shape
    match node.op:
        case "conv2d":
            given = [str(source.channels), str(node.shape.channels), str(node.integer("kernel"))]
            given += [f"{key}={node.integer(key)}" for key, usual in _CONV_DEFAULTS if node.integer(key) != usual]
            given += [] if node.attrs["bias"] else ["bias=False"]
            return f"self.{node.name} = nn.Conv2d({', '.join(given)})"
        case "batch_norm":
            return f"self.{node.name} = nn.BatchNorm2d({node.shape.channels})"
        case "linear":
            return f"self.{node.name} = nn.Linear({source.elements}, {node.shape.channels})"
    return ""


_CONV_DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))


class _Forward:
    """The forward pass line by line; a short expression that is read only once is written where it is read."""

    def __init__(self, blueprint: Blueprint, steps: Sequence[Step]) -> None:
        self.blueprint = blueprint
        self.steps = {step.node.name: step for step in steps}
        self.returned = [self.origin(name) for name in blueprint.returned]
        self.live = self._reach()
        read = [(self.origin(name), step.node) for step in steps if step.node.name in self.live for name in step.inputs]
        self.reads = Counter(name for name, _ in read)
        self.readers = dict(read)
        self.values = {blueprint.nodes[0].name: Expression(f"{{{blueprint.nodes[0].name}}}")}
        self.statements: list[tuple[Node, Expression]] = []

    def origin(self, name: str) -> str:
        """Return the node that computes a value; a sum with one remaining input is only another name for that input."""
        while (step := self.steps.get(name)) and step.node.op == "add" and len(step.inputs) == 1:
            name = step.inputs[0]
        return name

    def lines(self) -> list[tuple[str, str]]:
        """Return the part and the source of every statement."""
        for name, step in self.steps.items():
            if name in self.live:
                self._compute(step)
        return self._named()

    def _reach(self) -> set[str]:
        """Return the values on which the result depends, without sums of one input."""
        found = set()
        waiting = [*self.returned]
        while waiting:
            name = waiting.pop()
            if name in self.steps and name not in found:
                found.add(name)
                waiting += [self.origin(source) for source in self.steps[name].inputs]
        return found

    def _compute(self, step: Step) -> None:
        node = step.node
        sources = [self.origin(name) for name in step.inputs]
        while sum(self.values[name].width for name in sources) > INLINE_WIDTH:
            widest = max(sources, key=lambda name: self.values[name].width)
            if self.values[widest].is_name:
                break
            self._assign(widest)
        self.values[node.name] = self._expression(step, [self.values[name] for name in sources])
        reader = self.readers.get(node.name)
        once = (
            node.name not in self.returned
            and self.reads[node.name] == 1
            and reader is not None
            and reader.group == node.group
            and reader.op != "zeros"
        )
        if not once:
            self._assign(node.name)

    def _assign(self, name: str) -> None:
        self.statements.append((self.blueprint[name], self.values[name]))
        self.values[name] = Expression(f"{{{name}}}")

    def _named(self) -> list[tuple[str, str]]:
        """Return the statements with short names for values; a name is reused when its value is no longer needed."""
        last_read = {value: index for index, (_, text) in enumerate(self.statements) for value in text.values}
        features = self.blueprint.features
        if features:  # features are needed until the end
            last_read |= dict.fromkeys(self.returned, len(self.statements))
        names = {self.blueprint.nodes[0].name: NAMES[0]}
        busy = dict(names)
        spare = (*NAMES, *(f"x{number}" for number in range(1, len(self.statements) + 1)))
        lines = []
        for index, (node, expression) in enumerate(self.statements):
            text = expression.text.format_map(names)
            busy = {value: name for value, name in busy.items() if last_read.get(value, -1) > index}
            if not features and node.name == self.returned[0]:
                lines.append((node.group, f"return {text if self._flat(node) else f'({text}).flatten(1)'}"))
            else:
                names[node.name] = busy[node.name] = next(name for name in spare if name not in busy.values())
                lines.append((node.group, f"{names[node.name]} = {text}"))
        if features:
            lines.append(("features", f"return {', '.join(names[name] for name in self.returned)}"))
        return lines

    def _flat(self, node: Node) -> bool:
        while node.op in POINTWISE:
            node = self.blueprint[node.inputs[0]]
        return node.op == "linear" and self.steps[node.name].flat

    def _expression(self, step: Step, inputs: Sequence[Expression]) -> Expression:
        node = step.node
        first = inputs[0]
        match node.op:
            case "conv2d" | "batch_norm":
                return Expression(f"self.{node.name}({first.text})")
            case "linear":
                flat = self._flat(self.blueprint[self.origin(step.inputs[0])])
                text = f"self.{node.name}({first.text if flat else f'{first.bracketed}.flatten(1)'})"
                return Expression(text if step.flat else f"{text}[:, :, None, None]")
            case "activation":
                return Expression(f"{FUNCTIONS[str(node.attrs['function'])]}({first.text})")
            case "max_pool":
                return Expression(f"F.max_pool2d({first.text}, {_window(node)})")
            case "avg_pool":
                counting = ", count_include_pad=False" if node.integer("padding") else ""
                return Expression(f"F.avg_pool2d({first.text}, {_window(node)}{counting})")
            case "global_avg_pool":
                return Expression(f"F.adaptive_avg_pool2d({first.text}, 1)")
            case "add":
                return Expression(" + ".join(value.text for value in inputs), atomic=False)
            case "multiply":
                return Expression(" * ".join(value.bracketed for value in inputs), atomic=False)
            case "concat":
                return Expression(f"torch.cat([{', '.join(value.text for value in inputs)}], dim=1)")
            case "truncate":
                return Expression(f"{first.bracketed}[:, :{node.shape.channels}]")
            case "shift":
                return Expression(f"F.pad({first.bracketed}[:, :, 1:, 1:], (0, 1, 0, 1))")
            case "zeros":
                shape = node.shape
                size = f"{first.text}.shape[0], {shape.channels}, {shape.height}, {shape.width}"
                return Expression(f"{first.text}.new_zeros(({size}))")
            case "dropout":
                return Expression(f"F.dropout({first.text}, {node.attrs['rate']}, training=self.training)")
        raise ValueError(f"no source for the operation '{node.op}'")


def _window(node: Node) -> str:
    kernel, stride, padding = (node.integer(key) for key in ("kernel", "stride", "padding"))
    return f"{kernel}, stride={stride}" + (f", padding={padding}" if padding else "")
