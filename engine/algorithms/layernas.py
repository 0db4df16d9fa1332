"""LayerNAS (Algorithm 1): layer by layer, the best stored models are extended by one decision at a time.

A model at layer l is ``(s_1..s_l, o_{l+1}..o_L)``: l decisions, and a completion (`engine.algorithms.completion`). The
baseline and all options of layer 1 are scored first. Then the layers take turns: R times, a stored model is selected
and T of its untried children are proposed. We settle the points that the paper leaves open as follows:

- A child is proposed only if the costs still reachable from it meet the target; other children do not become trials.
- The child that keeps the next choice of its parent is the same network. It is carried to the later layers without a
  trial while its reachable costs meet the target. Other children are other networks, so none is scored twice.
- A failed network is not stored. If a later retry gives it a score, it is stored then.
- A network that is evicted from a bucket loses its untried children at that layer only. When scores are recalibrated,
  all buckets are filled again; a network that returns to a bucket this way has no children there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from math import prod
from operator import mul
from random import Random
from typing import Any

from engine.algorithms.base import SearchAlgorithm
from engine.algorithms.completion import COMPLETIONS
from engine.algorithms.layernas_store import EXHAUSTED, StoredLayer, Untried
from engine.algorithms.proposals import BucketView, Proposal, Resident
from engine.buckets import Bucket, CostScale, Ranked
from engine.config.algorithms import LayerNASOptions
from engine.layer_order import ReorderedSpace, in_order
from engine.problem import SearchProblem
from engine.space import Architecture, Choices

DISPLAY_SLICES = 20  # that group a layer's networks for display when every network has its own bucket
DISPLAY_RESIDENTS = 10  # that a slice shows


class LayerNAS(SearchAlgorithm):
    """Layerwise search with cost buckets.

    With ``bucketing = "unique"`` nothing is evicted, and 20 cost slices per layer show their ten best networks.
    """

    kind = "layernas"
    rescorable = True
    options: LayerNASOptions

    def __init__(self, options: LayerNASOptions, problem: SearchProblem, seed: int) -> None:
        super().__init__(options, problem, seed)
        self._depth = self.space.depth
        # Layers are numbered as they are searched here, and as the space lists them in proposals and views.
        self._searched = in_order(problem, options.layer_order)
        view = self._searched.space
        self._view = view if isinstance(view, ReorderedSpace) else None
        self._hash = self.space.content_hash
        self._dice = Random()  # seeded before each use, in the same way as `rng`
        self._turns = options.children_per_search
        self._searches_per_layer = options.searches_per_layer
        self._slices = DISPLAY_SLICES if options.bucketing == "unique" else options.buckets
        self._use(self._fresh_layers())
        self._views: dict[tuple[int, int], tuple[Bucket, BucketView]] = {}  # what `buckets` returned last
        completion = COMPLETIONS[options.completion](self._searched)
        self._complete, self._costs = completion.complete, completion.costs
        self._baseline = Ranked(0.0, 0, self._complete(())[0])
        self._root = Untried(None)
        self._opened = False
        self._completed: dict[int, tuple[float, int | None]] = {}  # what `_store` needs for proposals not yet told
        # The current turn: layer l of the selected network, selections made there, the network, its children so far.
        self._layer = 1
        self._searches = 0
        self._selected: Ranked | None = None
        self._children = 0

    def bound(self) -> int:
        """The paper's bound on trials (section 4.2): the sum over layers of min(|M_l|, H k) |S_{l+1}|, with |M_0| = 1.

        If a layer's options depend on earlier choices, its largest number of options counts. A network that replaces
        another one in a full bucket adds its own children, so a search with very small buckets can exceed the bound.
        """
        sizes = self._searched.space.option_counts()
        stored = [1, *accumulate(sizes[:-1], mul)]
        if self.options.bucketing == "cost":
            limit = self.options.buckets * self.options.replicas
            stored = [min(models, limit) for models in stored]
        return sum(map(prod, zip(stored, sizes, strict=True)))

    def buckets(self) -> list[BucketView]:
        """Return every bucket that ever held a network, with layers numbered as in the space.

        A bucket that has not changed since the last call is returned as the same object.
        """
        shown = None if self.options.bucketing == "cost" else DISPLAY_RESIDENTS
        views = []
        for layer, store in enumerate(self._layers):
            for index, bucket in sorted(store.buckets.items()):
                seen, view = self._views.get((layer, index), (None, None))
                if view is None or seen is not bucket or view.inserted != bucket.inserted:
                    residents = tuple(Resident(m.number, m.score) for m in bucket.residents[:shown])
                    interval = store.scale.interval(index)
                    view = BucketView(self._listed(layer), index, *interval, residents, bucket.inserted, bucket.evicted)
                    self._views[layer, index] = bucket, view
                views.append(view)
        return views

    def bucket_edges(self) -> list[list[float]]:
        """Return the bucket edges of every layer, one more than its buckets; nothing if every network has its own."""
        if self.options.bucketing == "unique":
            return []
        scales = [layer.scale for layer in self._layers]
        return [[scale.interval(index)[0] for index in range(scale.count)] + [scale.high] for scale in scales]

    def searched_layers(self) -> Sequence[int]:
        return super().searched_layers() if self._view is None else self._view.order

    # --- asking ------------------------------------------------------------------------------------------------
    def _propose(self, number: int) -> Proposal | None:
        if not self._opened:
            if number == 0:
                return Proposal(0, self._network(self._baseline.choices), "baseline")
            if self._root_has_child():
                return self._child(number, 0, self._baseline, self._root.take())
            if self._pending:
                return None
            self._opened = True
        network = self._next(number)
        if network is None:
            return None
        self._children += 1
        return self._child(number, self._layer, network, self._layers[self._layer - 1].take(network))

    def _next(self, number: int) -> Ranked | None:
        """Return the selected network of layer ``_layer``, which has an untried child.

        Returns None, and changes nothing, when no network has an untried child.
        """
        network = self._selected
        if network is not None and self._children < self._turns and self._layers[self._layer - 1].has_child(network):
            return network
        layer = self._layer
        searches = self._searches
        for _ in range(self._depth):
            if layer < self._depth and searches < self._searches_per_layer:
                network = self._layers[layer - 1].selection.select(number)
                if network is not None:
                    self._layer = layer
                    self._searches = searches + 1
                    self._selected = network
                    self._children = 0
                    return network
            layer = layer % max(1, self._depth - 1) + 1
            searches = 0
        return None

    def _root_has_child(self) -> bool:
        """Return whether an option of the first layer has not been proposed yet."""
        root = self._root
        if root.position == EXHAUSTED:
            return False
        if root.options is None:
            root.options = self._list_options(0, self._baseline)
        return root.position < len(root.options)

    def _list_options(self, layer: int, network: Ranked) -> list[int]:
        """Return the valid options of a network's next layer without the default, in the order they are tried."""
        prefix = network.choices[:layer]
        kept = network.choices[layer]
        options = [option for option in self._searched.children(prefix) if option != kept]
        if self.options.child_order == "random":
            self._dice.seed(f"{self.seed}:{network.number}:children {layer}")
            self._dice.shuffle(options)
        elif self.options.child_order == "cost":
            costs = self._searched.child_costs(prefix)
            options.sort(key=lambda option: -costs[option])
        return options

    def _child(self, number: int, layer: int, network: Ranked, option: int) -> Proposal:
        choices, cost, reach = self._complete((*network[2][:layer], option))
        self._completed[number] = cost, reach
        bucket = self._layers[layer].scale.index(cost)
        origin = "child" if layer else "first layer"
        return Proposal(number, self._network(choices), origin, self._listed(layer), bucket, network[1])

    def _network(self, choices: Choices) -> Architecture:
        """Return the network with these choices, given in the order in which the layers are searched."""
        return Architecture(self._hash, choices if self._view is None else self._view.listed(choices))

    def _listed(self, layer: int) -> int:
        """Return the space's number of the layer that is searched at a given position."""
        return layer if self._view is None else self._view.order[layer]

    def _exhausted(self) -> bool:
        if self.asked == 0 or self._root_has_child():
            return False
        return not any(store.selection.any() for store in self._layers[:-1])

    # --- learning ----------------------------------------------------------------------------------------------
    def _observe(self, proposal: Proposal, score: float | None) -> None:
        completed = self._completed.pop(proposal.number, None)
        if score is not None:
            self._store(proposal, score, completed)

    def _store(self, proposal: Proposal, score: float, completed: tuple[float, int | None] | None) -> None:
        """Store a network at its own layer and at the later layers from which it can still meet the target."""
        choices = proposal.architecture.choices
        layer = proposal.layer
        if self._view is not None:
            choices = self._view.searched(choices)
            layer = None if layer is None else self._view.place(layer)
        first = layer or 0
        cost, reach = completed or self._complete(choices[: first + 1])[1:]
        costs = self._costs(choices, first + 1)
        network = Ranked(-score, proposal.number, choices)
        unknown = layer is None  # the baseline is proposed without checking whether layer 1 is within reach
        slices = self._slices
        grid = self._grid
        for at in range(first, self._depth):
            if costs is not None:
                cost = costs[at - first]
            low, width, floors = grid[at]
            index = 0
            if cost > low:
                index = int((cost - low) / width * slices)
                if index >= slices:
                    index = slices - 1
            if score > floors[index]:
                if at > first or unknown:
                    if reach is None:
                        reach = self._searched.reach(choices[: first + 1])
                    if at >= reach:
                        return
                self._layers[at].insert(index, network)

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Fill all buckets again; a network that was not stored before has no children to try."""
        before = self._layers
        self._use(self._fresh_layers())
        for proposal, score in networks:
            self._store(proposal, score, None)
        for layer, old in zip(self._layers, before, strict=True):
            for number in layer.stored:
                position = old.position(number)
                if position != 0:
                    layer.stored[number] = Untried(None, EXHAUSTED if position is None else position)
            layer.reopen(old.selection.dump())

    # --- state -------------------------------------------------------------------------------------------------
    def _identity(self) -> dict[str, Any]:
        """Return what a saved state must match.

        Options that older states do not contain are left out while they have the value that those searches used.
        """
        identity = super()._identity()
        for name in ("layer_order", "completion"):
            if getattr(self.options, name) == LayerNASOptions.model_fields[name].default:
                del identity["options"][name]
        return identity

    def _fresh_layers(self) -> list[StoredLayer]:
        capacity = None if self.options.bucketing == "unique" else self.options.replicas
        ranges = self._searched.layer_ranges()
        low, high = ranges[-1]
        lo, hi = self.problem.objective.lo, self.problem.objective.hi
        ranges[-1] = (low if lo is None else max(low, lo)), (high if hi is None else min(high, hi))
        return [
            StoredLayer(
                CostScale(*ends, self._slices),
                capacity,
                self.options.select,
                partial(self.rng, purpose=f"select {layer}"),
                partial(self._list_options, layer),
            )
            for layer, ends in enumerate(ranges, start=1)
        ]

    def _use(self, layers: list[StoredLayer]) -> None:
        self._layers = layers
        self._grid = [layer.grid for layer in layers]

    def _dump_state(self) -> dict[str, Any]:
        selected = self._selected
        stored = selected is not None and selected.number in self._layers[self._layer - 1].stored
        return {
            "root": self._root.position,
            "opened": self._opened,
            "layers": [layer.dump() for layer in self._layers],
            "turn": [self._layer, self._searches, self._children],
            "selected": selected.number if selected is not None and stored else None,
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        layers = self._fresh_layers()
        for layer, saved in zip(layers, state["layers"], strict=True):
            layer.load(saved)
        self._layer, self._searches, self._children = map(int, state["turn"])
        self._selected = None if state["selected"] is None else layers[self._layer - 1].find(int(state["selected"]))
        self._use(layers)
        self._completed = {}
        self._root = Untried(None, int(state["root"]))
        self._opened = bool(state["opened"])
