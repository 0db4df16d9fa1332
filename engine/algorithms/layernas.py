"""LayerNAS (Algorithm 1): layer by layer, the best stored models are extended by one decision at a time.

A model at layer l is ``(s_1..s_l, o_{l+1}..o_L)``. The baseline and all options of layer 1 are scored first; then the
layers take turns: R times, a stored model is selected and T of its untried children are proposed. What the paper
leaves open is settled like this:

- A child is proposed only if the costs still reachable from it meet the target; others are no trials.
- The child that keeps the default is the same network: it is carried to the later layers' buckets without a trial, as
  long as its reachable costs meet the target. Every other child is another network, so nothing is ever scored twice.
- A failed network is not stored; should a retry score it, it is stored then.
- A network that was driven out of its bucket loses its untried children there, not at the other layers; should scores
  be calibrated anew, all buckets are filled again, and one that comes back has no children there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

from engine.algorithms.base import BucketView, Proposal, Resident, SearchAlgorithm
from engine.algorithms.layernas_store import EXHAUSTED, SELECTIONS, Layer, Model
from engine.buckets import Bucket, CostScale
from engine.config.algorithms import LayerNASOptions
from engine.layer_order import ReorderedSpace, in_order
from engine.problem import SearchProblem
from engine.space import Choices

DISPLAY_SLICES = 20
"""Cost slices that group the networks of a layer for display when every network keeps its own bucket."""
DISPLAY_RESIDENTS = 10
"""How many of them a slice shows."""


class LayerNAS(SearchAlgorithm):
    """Layerwise search with cost buckets.

    With ``bucketing = "unique"`` nothing is ever driven out, and the buckets shown are 20 cost slices a layer with
    the best ten networks of each.
    """

    kind = "layernas"
    rescorable = True
    options: LayerNASOptions

    def __init__(self, options: LayerNASOptions, problem: SearchProblem, seed: int) -> None:
        super().__init__(options, problem, seed)
        self._depth = self.space.depth
        # The layers as they are searched: everything below counts them so, proposals and views as the space does.
        self._searched = in_order(problem, options.layer_order)
        view = self._searched.space
        self._view = view if isinstance(view, ReorderedSpace) else None
        self._layers = self._fresh_layers()
        self._views: dict[tuple[int, int], tuple[Bucket[Model], BucketView]] = {}  # as `buckets` showed them last
        self._root = Model(0, 0.0, view.default().choices)
        self._opened = False
        self._costs: dict[int, float] = {}  # of proposals that are not told, to spare counting them twice
        # Whose turn it is: layer l of the selected model, selections made there, the model and its children so far.
        self._layer, self._searches = 1, 0
        self._selected: Model | None = None
        self._children = 0

    def bound(self) -> int:
        """The paper's bound (section 4.2): the sum over layers of min(|M_l|, H k) |S_{l+1}|, with |M_0| = 1.

        Where options depend on the ones before, a layer counts with the most it can have. A network that replaces
        another in a full bucket brings children of its own, so a search with very little memory can try more.
        """
        sizes = self._searched.space.option_counts()
        stored = [1, *accumulate(sizes[:-1], mul)]
        if self.options.bucketing == "cost":
            limit = self.options.buckets * self.options.replicas
            stored = [min(models, limit) for models in stored]
        return sum(map(prod, zip(stored, sizes, strict=True)))

    def buckets(self) -> list[BucketView]:
        """Every bucket that ever held a network, layers as the space lists them; unchanged ones are the same object."""
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
        """One edge more than there are buckets a layer; none where every network keeps its own."""
        if self.options.bucketing == "unique":
            return []
        scales = [layer.scale for layer in self._layers]
        return [[scale.interval(index)[0] for index in range(scale.count)] + [scale.high] for scale in scales]

    def searched_layers(self) -> Sequence[int]:
        return super().searched_layers() if self._view is None else self._view.order

    # --- asking ------------------------------------------------------------------------------------------------
    def _propose(self, number: int) -> Proposal | None:
        if number == 0:
            return Proposal(0, self.space.default(), "baseline")
        if self._has_child(0, self._root):
            return self._child(number, 0, self._root)
        if not self._opened:
            if self._pending:
                return None
            self._opened = True
        if not self._advance(number):
            return None
        assert self._selected is not None
        self._children += 1
        return self._child(number, self._layer, self._selected)

    def _advance(self, number: int) -> bool:
        """Sees to it that a model with an untried child is selected; False, and nothing changed, when there is none."""
        model = self._selected
        if (
            model is not None
            and self._children < self.options.children_per_search
            and model.stored
            and self._has_child(self._layer, model)
        ):
            return True
        layer, searches = self._layer, self._searches
        for _ in range(self._depth):
            if layer < self._depth and searches < self.options.searches_per_layer:
                model = self._select(layer, number)
                if model is not None:
                    self._layer, self._searches = layer, searches + 1
                    self._selected, self._children = model, 0
                    return True
            layer, searches = layer % max(1, self._depth - 1) + 1, 0
        return False

    def _select(self, layer: int, number: int) -> Model | None:
        return self._layers[layer - 1].selection.select(
            lambda model: self._has_child(layer, model), lambda: self.rng(number, f"select {layer}")
        )

    def _has_child(self, layer: int, model: Model) -> bool:
        """Whether an untried valid child is left."""
        if model.position == EXHAUSTED:
            return False
        if model.children is None:
            model.children = self._list_children(layer, model)
        return model.position < len(model.children)

    def _list_children(self, layer: int, model: Model) -> list[tuple[int, float]]:
        """The valid options of a model's next layer but the default, in the order they are tried."""
        kept = model.choices[layer]
        children = [child for child in self._searched.children(model.choices[:layer]) if child[0] != kept]
        if self.options.child_order == "random":
            self.rng(model.number, f"children {layer}").shuffle(children)
        elif self.options.child_order == "cost":
            children.sort(key=lambda child: -child[1])
        return children

    def _child(self, number: int, layer: int, model: Model) -> Proposal:
        option, cost = model.take_child()
        self._costs[number] = cost
        architecture = self._searched.space.complete((*model.choices[:layer], option))
        if self._view is not None:
            architecture = self._view.network(architecture)
        bucket = self._layers[layer].scale.index(cost)
        origin = "child" if layer else "first layer"
        return Proposal(number, architecture, origin, self._listed(layer), bucket, model.number)

    def _listed(self, layer: int) -> int:
        """The space's own number of the layer that is searched in that place."""
        return layer if self._view is None else self._view.order[layer]

    def _cost(self, prefix: Choices) -> float:
        """Cost of the network that completes a prefix with defaults."""
        return self._searched.cost_range(prefix, until=len(prefix))[0]

    def _exhausted(self) -> bool:
        if self.asked == 0 or self._has_child(0, self._root):
            return False
        return not any(
            store.selection.any(lambda model, layer=layer: self._has_child(layer, model))  # type: ignore[misc]
            for layer, store in enumerate(self._layers[:-1], start=1)
        )

    # --- learning ----------------------------------------------------------------------------------------------
    def _observe(self, proposal: Proposal, score: float | None) -> None:
        """Stores a network at its own layer and carries it to all later ones that it can still serve."""
        cost = self._costs.pop(proposal.number, None)
        if score is not None:
            self._store(proposal, score, cost, lambda layer: 0)

    def _store(self, proposal: Proposal, score: float, cost: float | None, position: Callable[[int], int]) -> None:
        """``position``: how many of its children were tried, by layer."""
        choices, layer_told = proposal.architecture.choices, proposal.layer
        if self._view is not None:
            choices = self._view.searched(choices)
            layer_told = None if layer_told is None else self._view.place(layer_told)
        first = 1 if layer_told is None else layer_told + 1
        if cost is None:
            cost = self._cost(choices[:first])
        known = proposal.layer is not None  # that the first is within reach; the baseline is proposed unseen
        last = -1
        for layer in range(first, self._depth + 1):
            store = self._layers[layer - 1]
            index = store.offer(cost, score)
            if index < 0:
                continue
            if layer > first or not known:
                if last < 0:
                    last = self._searched.reach(choices, layer)
                if layer > last:
                    return
            store.insert(index, Model(proposal.number, score, choices, position(layer)))

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        """Fills all buckets again; who was not stored before has no children to try."""
        before, self._layers = self._layers, self._fresh_layers()
        positions = [
            {model.number: model.position for bucket in layer.buckets.values() for model in bucket.residents}
            for layer in before
        ]
        for proposal, score in networks:
            self._store(
                proposal,
                score,
                None,
                lambda layer, n=proposal.number: positions[layer - 1].get(n, EXHAUSTED),  # type: ignore[misc]
            )
        for layer, old in zip(self._layers, before, strict=True):
            layer.reopen(old.selection.dump())
        if self._selected is not None and self._selected.stored:
            self._selected = self._layers[self._layer - 1].find(self._selected.number)

    # --- state -------------------------------------------------------------------------------------------------
    def _identity(self) -> dict[str, Any]:
        """States saved before layers could be searched in another order do not name it."""
        identity = super()._identity()
        if self._view is None:
            del identity["options"]["layer_order"]
        return identity

    def _fresh_layers(self) -> list[Layer]:
        unique = self.options.bucketing == "unique"
        slices = DISPLAY_SLICES if unique else self.options.buckets
        capacity = None if unique else self.options.replicas
        ranges = [self._searched.cost_range((), until=layer) for layer in range(1, self._depth + 1)]
        low, high = ranges[-1]
        lo, hi = self.problem.objective.lo, self.problem.objective.hi
        ranges[-1] = (low if lo is None else max(low, lo)), (high if hi is None else min(high, hi))
        return [Layer(CostScale(*ends, slices), capacity, SELECTIONS[self.options.select]()) for ends in ranges]

    def _dump_state(self) -> dict[str, Any]:
        selected = self._selected
        return {
            "root": self._root.position,
            "opened": self._opened,
            "layers": [layer.dump() for layer in self._layers],
            "turn": [self._layer, self._searches, self._children],
            "selected": selected.number if selected is not None and selected.stored else None,
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        layers = self._fresh_layers()
        for layer, saved in zip(layers, state["layers"], strict=True):
            layer.load(saved)
        self._layer, self._searches, self._children = map(int, state["turn"])
        self._selected = None if state["selected"] is None else layers[self._layer - 1].find(int(state["selected"]))
        self._layers, self._costs = layers, {}
        self._root = Model(0, 0.0, self._searched.space.default().choices, int(state["root"]))
        self._opened = bool(state["opened"])
