"""Measurement on this machine: the right modules are timed; the times themselves are not checked."""

from __future__ import annotations

from random import Random

import pytest
import torch

from engine.config.latency import LatencyOptions
from engine.cost import blueprint_cost
from engine.errors import ConfigError, EstimateError, Stopped
from engine.latency import LatencyTable
from engine.networks.build import build
from engine.networks.latency import machine, measure_network, measure_operators, operator_module
from engine.operators import Operator
from engine.registry import create_space
from tests.engine.test_latency import OPTIONS

QUICK = LatencyOptions(repeats=3, warmup=1, seconds=0.01)


@pytest.mark.parametrize("name", ["chain", "nasbench201", "nats_size", "darts"])
def test_every_operator_of_a_space_is_measured(name: str) -> None:
    options, spec = OPTIONS[name]
    space = create_space(options, spec)
    wanted = sorted(space.operators())
    timings = dict(measure_operators(wanted, QUICK))
    assert list(timings) == wanted
    assert all(0 < t.low_ms <= t.median_ms <= t.high_ms and t.repeats == 3 for t in timings.values())
    table = LatencyTable({op: t.median_ms for op, t in timings.items()})
    priced = create_space(options, spec, table)
    blueprint = priced.blueprint(priced.default())
    assert priced.cost(priced.default()).metric("latency_ms") > 0
    assert measure_network(blueprint, QUICK).median_ms > 0


def test_an_operators_module_computes_what_the_network_does() -> None:
    options, spec = OPTIONS["mobilenet"]
    space = create_space(options, spec)
    blueprint = space.blueprint(space.sample(Random(0)))
    network = build(blueprint, seed=0).eval()
    seen = {}
    for node in blueprint:
        if node.op != "input":
            network.get_submodule(node.name).register_forward_hook(lambda m, i, out, n=node: seen.update({n.name: out}))
    with torch.no_grad():
        network(torch.rand(1, spec.channels, spec.height, spec.width))
    nodes = [node for node in blueprint if node.op not in ("input", "dropout")]
    operators = blueprint_cost(blueprint).operators
    assert len(nodes) == len(operators)
    for node, operator in zip(nodes, operators, strict=True):
        module = operator_module(operator)
        outside = module(*[torch.rand(2, *shape) for shape in operator.shapes])
        assert outside.shape[1:].numel() == seen[node.name].shape[1:].numel(), operator.name
        parameters = sum(p.numel() for p in network.get_submodule(node.name).parameters())
        assert sum(p.numel() for p in module.parameters()) == parameters, operator.name


def test_threads_are_put_back_and_stop_is_heard() -> None:
    before = torch.get_num_threads()
    operator = Operator.parse("batch_norm 3x8x8")
    ((_, timing),) = measure_operators([operator], LatencyOptions(threads=2, repeats=5, batch_size=3))
    assert timing.repeats == 5
    assert torch.get_num_threads() == before
    with pytest.raises(Stopped):
        list(measure_operators([operator], QUICK, stop=lambda: True))
    b = create_space(*OPTIONS["chain"])
    with pytest.raises(Stopped):
        measure_network(b.blueprint(b.default()), QUICK, stop=lambda: True)
    assert torch.get_num_threads() == before


def test_what_cannot_run_is_said() -> None:
    assert f"torch {torch.__version__}" in machine(QUICK)
    with pytest.raises(EstimateError, match="a pass failed"):
        list(measure_operators([Operator.parse("add 3x8x8+3x5x5")], QUICK))
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no GPU"):
            machine(LatencyOptions(device="cuda"))
