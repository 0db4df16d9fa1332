"""Costs of NAS-Bench-101 cells: exact costs of a cell, and bounds over all cells that it may still grow into.

All interior vertices of a cell have the output's channels divided by the number of vertices that lead to the output,
or one more. So bounds on a cell's costs need no graph, only counts: how many operations of each kind there are, how
many vertices lead to the output, how many the input leads to, and how many add their inputs. A limited number of edits
can reach only a small set of such counts, and each member is costed once. The bounds are conservative: some of these
counts may belong to no cell that this one can grow into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from engine.blueprint import BlueprintBuilder, Node, Shape
from engine.cost import Cost, Counts, node_cost
from engine.metrics import COUNTED
from engine.spaces.fragments import measure
from engine.spaces.nasbench101_graph import MAX_EDGES, MAX_VERTICES, OPERATIONS, Rows, vertex_channels
from engine.spaces.nasbench101_growth import Graph

INTERIOR = MAX_VERTICES - 2
NOTHING: Counts = (0,) * len(COUNTED)
Ends = tuple[Counts, Counts]
"""The least and the largest counts; each count is bounded separately."""
Piece = tuple[str, int, int]
"""The kind of a piece, its channels (for a concatenation: its vertices), and for a sum its number of inputs."""


@dataclass(frozen=True)
class Position:
    """Cells of the same shape: channels in and out, size of the map, and how many such cells there are."""

    channels_in: int
    channels_out: int
    height: int
    width: int
    times: int

    def shape(self, channels: int) -> Shape:
        """Return the shape of a map with this many channels."""
        return Shape(channels, self.height, self.width)


def vertex_operation(b: BlueprintBuilder, x: str, operation: str) -> str:
    """Append an interior vertex's operation; the map keeps its shape."""
    if operation.startswith("max"):
        return b.max_pool(x, 3, stride=1, padding=1)
    return b.conv_bn(x, b.shape(x).channels, 3 if "3x3" in operation else 1)


def projection(b: BlueprintBuilder, x: str, channels: int) -> str:
    """Append the 1x1 convolution that stands on every edge from the input."""
    return b.conv_bn(x, channels)


class CellCosts:
    """Counts of all cells of a network; the function ``counts`` turns a cost into counts, including latency."""

    def __init__(self, positions: Sequence[Position], counts: Callable[[Cost], Counts]) -> None:
        self._positions = positions
        self._counts = counts
        self._pieces: list[dict[Piece, Counts]] = [{} for _ in positions]
        self._sums: dict[tuple[str, int, int], Ends] = {}
        self._bounds: dict[tuple[object, ...], Ends] = {}

    def operators(self) -> Iterator[Cost]:
        """Yield costs that together name every operator that a cell of the space can contain."""
        for position in self._positions:
            widths = {width for joined in range(1, INTERIOR + 1) for width in _widths(position, joined)}
            pieces = [(kind, width, 0) for kind in (*OPERATIONS, "projection", "cut") for width in widths]
            pieces += [("add", width, inputs) for width in widths for inputs in range(2, INTERIOR + 1)]
            pieces += [("concat", joined, 0) for joined in range(2, INTERIOR + 1)]
            yield from (_measured(position, *piece) for piece in pieces)

    # --- exact -------------------------------------------------------------------------------------------------
    def exact(self, matrix: Rows, ops: Sequence[str]) -> Counts:
        """Return the counts summed over all cells of a network that uses this cell."""
        parts = []
        for place, position in enumerate(self._positions):
            channels = vertex_channels(matrix, position.channels_in, position.channels_out)
            cell = _add(self._piece(place, piece) for piece in _pieces_of(matrix, ops, channels))
            parts.append(_times(position.times, cell))
        return _add(parts)

    def _piece(self, place: int, piece: Piece) -> Counts:
        found = self._pieces[place].get(piece)
        if found is None:
            found = self._pieces[place][piece] = self._counts(_measured(self._positions[place], *piece))
        return found

    # --- bounds ------------------------------------------------------------------------------------------------
    def bounds(self, graph: Graph, edits: int) -> Ends:
        """Return the least and largest counts of the cells that a graph can grow into with at most ``edits`` edits."""
        interior = len(graph.operations)
        direct = graph.out[0] >> 1 & 1
        given = tuple(graph.operations.count(operation) for operation in range(len(OPERATIONS)))
        adding = sum(sum(mask >> v & 1 for mask in graph.out) > 1 for v in range(2, interior + 2))
        joined = sum(mask >> 1 & 1 for mask in graph.out[2:])
        fed = (graph.out[0] & ~0b11).bit_count()
        key = given, adding, joined, fed, direct, edits
        if key not in self._bounds:
            ends = []
            for state in _reachable(joined, interior, fed, direct, edits):
                connecting = edits - (state[1] - interior)
                ends.append(self._ends(given, (adding, min(state[1], adding + connecting)), *state))
            self._bounds[key] = _least(low for low, _ in ends), _largest(high for _, high in ends)
        return self._bounds[key]

    def _ends(
        self, given: tuple[int, ...], adding: tuple[int, int], joined: int, interior: int, fed: int, direct: int
    ) -> Ends:
        """Return least and largest counts over the cells with the given numbers.

        ``given`` counts the operations of each kind, ``adding`` bounds the vertices that add their inputs, ``joined``
        counts the vertices that lead to the output, ``fed`` those that the input leads to; ``direct`` is 1 if an edge
        joins input and output.
        """
        free = interior - sum(given)
        parts = [self._over_widths(kind, joined, count) for kind, count in zip(OPERATIONS, given, strict=True) if count]
        if free:
            new = [self._over_widths(operation, joined, free) for operation in OPERATIONS]
            parts.append((_least(low for low, _ in new), _largest(high for _, high in new)))
        if interior:
            parts.append(self._over_widths("projection", joined, fed))
            least, most = (self._over_widths("add", joined, count) for count in adding)
            parts += [(least[0], most[1]), (NOTHING, self._over_widths("cut", joined, MAX_EDGES)[1])]
        fixed: list[Piece] = [("concat", joined, 0)] if joined > 1 else []
        for place, position in enumerate(self._positions):
            direct_pieces: list[Piece] = [("projection", position.channels_out, 0)] if direct else []
            direct_pieces += [("add", position.channels_out, 2)] if direct and joined else []
            for piece in fixed + direct_pieces:
                counts = _times(position.times, self._piece(place, piece))
                parts.append((counts, counts))
        return _add(low for low, _ in parts), _add(high for _, high in parts)

    def _over_widths(self, kind: str, joined: int, times: int) -> Ends:
        """Return least and largest counts of ``times`` pieces.

        The bounds cover all widths that a vertex can have and, for sums, all numbers of inputs.
        """
        key = kind, joined, times
        if key not in self._sums:
            inputs = range(2, INTERIOR + 1) if kind == "add" else (0,)
            lows, highs = [], []
            for place, position in enumerate(self._positions):
                widths = _widths(position, joined)
                found = [self._piece(place, (kind, width, number)) for width in widths for number in inputs]
                lows.append(_times(times * position.times, _least(found)))
                highs.append(_times(times * position.times, _largest(found)))
            self._sums[key] = _add(lows), _add(highs)
        return self._sums[key]


def _pieces_of(matrix: Rows, ops: Sequence[str], channels: Sequence[int]) -> Iterator[Piece]:
    """Yield the pieces of a cell, given the channels of its vertices."""
    last = len(ops) - 1
    for t in range(1, last):
        sources = [u for u in range(1, t) if matrix[u][t]]
        yield from (("cut", channels[t], 0) for u in sources if channels[u] > channels[t])
        if matrix[0][t]:
            yield "projection", channels[t], 0
        if len(sources) + matrix[0][t] > 1:
            yield "add", channels[t], len(sources) + matrix[0][t]
        yield ops[t], channels[t], 0
    joined = sum(matrix[v][last] for v in range(1, last))
    if joined > 1:
        yield "concat", joined, 0
    if matrix[0][last]:
        yield "projection", channels[last], 0
        if joined:
            yield "add", channels[last], 2


def _measured(position: Position, kind: str, number: int, inputs: int) -> Cost:
    """Return the cost of one piece."""
    match kind:
        case "projection":
            return measure(position.shape(position.channels_in), lambda b, x: projection(b, x, number))[0]
        case "add":
            return measure(position.shape(number), lambda b, x: b.add([x] * inputs))[0]
        case "cut":
            return measure(position.shape(number + 1), lambda b, x: b.truncate(x, number))[0]
        case "concat":
            share, more = divmod(position.channels_out, number)
            shapes = [position.shape(share + (place < more)) for place in range(number)]
            return node_cost(Node(kind, kind, (), position.shape(position.channels_out)), shapes)
    return measure(position.shape(number), lambda b, x: vertex_operation(b, x, kind))[0]


def _widths(position: Position, joined: int) -> Sequence[int]:
    """Return the channels that interior vertices can have when ``joined`` of them lead to the output."""
    share, more = divmod(position.channels_out, joined)
    return (share, share + 1) if more else (share,)


@cache
def _reachable(joined: int, interior: int, fed: int, direct: int, edits: int) -> frozenset[tuple[int, int, int, int]]:
    """Return all counts that at most ``edits`` edits can reach: splits, and connections of one or both ends."""
    found = {(joined, interior, fed, direct)}
    if edits == 0:
        return frozenset(found)
    after = set()
    if interior and interior < INTERIOR:
        after.add((joined, interior + 1, fed, direct))
    if direct and interior < INTERIOR:
        after.add((joined + 1, interior + 1, fed + 1, 0))
    if not direct:
        after.add((joined, interior, fed, 1))
    if fed < interior:
        after.add((joined, interior, fed + 1, direct))
    if joined < interior:
        after.add((joined + 1, interior, fed, direct))
    return frozenset(found.union(*(_reachable(*state, edits - 1) for state in after)))


def _add(counts: Iterable[Counts]) -> Counts:
    return tuple(map(sum, zip(NOTHING, *counts, strict=True)))


def _times(number: int, counts: Counts) -> Counts:
    return tuple([number * count for count in counts])


def _least(counts: Iterable[Counts]) -> Counts:
    return tuple(map(min, zip(*counts, strict=True)))


def _largest(counts: Iterable[Counts]) -> Counts:
    return tuple(map(max, zip(*counts, strict=True)))
