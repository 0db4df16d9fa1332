"""Every proxy compared with a second way to compute it on a small network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.blueprint import BlueprintBuilder
from engine.config.estimators import ProxyName
from engine.errors import EstimateError
from engine.estimators.proxies import az_nas
from engine.estimators.proxies.kernels import KERNEL_IMAGES
from engine.estimators.proxies.probe import Probe, blocks, last_map, layer_weights
from engine.estimators.proxy import evaluate
from engine.networks.build import Network
from engine.proxies import PROXIES
from tests.engine.probing import CELL, SMALL_CELL, SPEC, cell, plain, probe

COUNTS = {"params", "madds", "complexity"}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def hooked(
    network: nn.Module, kinds: tuple[type[nn.Module], ...], note: Callable[[nn.Module, Any, Tensor], Any]
) -> None:
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(note)


def jacobian(network: Network, images: Tensor) -> np.ndarray:
    """Return the gradients of each image's summed logits by the layers' weights, one row per image."""
    rows = []
    for index in range(len(images)):
        network.zero_grad()
        network(images)[index].sum().backward()
        rows.append(
            torch.cat([w.grad.flatten() for w in layer_weights(network) if w.grad is not None]).double().numpy()
        )
    return np.stack(rows)


def test_the_form_offers_every_proxy() -> None:
    assert set(get_args(ProxyName)) == set(PROXIES)
    for name, entry in PROXIES.items():
        assert name in COUNTS or entry.paper.startswith(("arXiv", "NeurIPS"))


@pytest.mark.parametrize("name", PROXIES)
def test_a_seed_fixes_the_score(name: str) -> None:
    first, again, other = (evaluate(name, probe(cell(), seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert (first == other) == (name in COUNTS)
    assert first != evaluate(name, probe(cell(SMALL_CELL), seed=3))


def test_counts() -> None:
    # stem 3*4*9, second 4*4*9, norms 2*(4+4), classifier 4*5 + 5; maps of 8x8 and 4x4 pixels.
    assert evaluate("params", probe()) == pytest.approx((108 + 144 + 16 + 25) / 1e6)
    assert (
        evaluate("madds", probe()) == evaluate("complexity", probe()) == pytest.approx((108 * 64 + 144 * 16 + 20) / 1e6)
    )


def test_gradient_norm_and_snip() -> None:
    network = probe().network()
    probe().loss(network).backward()
    weights = [m.weight for m in (network.conv2d_1, network.conv2d_2, network.linear_1)]
    norms = [np.linalg.norm(w.grad.numpy()) for w in weights]
    assert evaluate("grad_norm", probe()) == pytest.approx(sum(norms), rel=1e-5)
    saliency = sum(np.abs(w.detach().numpy() * w.grad.numpy()).sum() for w in weights)
    assert evaluate("snip", probe()) == pytest.approx(saliency, rel=1e-5)


def test_grasp_is_the_curvature_along_the_gradient() -> None:
    """``-w H g`` from the gradient's change along itself, by central differences in float64."""
    small = probe()
    network = small.network().double()
    weights = layer_weights(network)

    def gradient() -> list[Tensor]:
        loss = functional.cross_entropy(network(small.images.double()), small.labels)
        return list(torch.autograd.grad(loss, weights))

    start = [w.detach().clone() for w in weights]
    step = 1e-5
    at = []
    direction = gradient()
    for sign in (1, -1):
        with torch.no_grad():
            for weight, origin, along in zip(weights, start, direction, strict=True):
                weight.copy_(origin + sign * step * along)
        at.append(gradient())
    curvature = sum(float((w * (up - down)).sum()) for w, up, down in zip(start, *at, strict=True)) / (2 * step)
    assert evaluate("grasp", small) == pytest.approx(-curvature, rel=1e-3)


def test_synflow_is_the_growth_of_the_positive_network() -> None:
    """The derivative of R by a common factor of all layer weights, by central differences."""
    network = probe(cell()).network().double()
    for name, module in list(network.named_children()):
        if isinstance(module, nn.BatchNorm2d):
            setattr(network, name, nn.Identity())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        found = []
        for factor in (1 + 1e-6, (1 - 1e-6) / (1 + 1e-6)):
            for weight in layer_weights(network):
                weight.mul_(factor)
            found.append(float(network(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum()))
    assert evaluate("synflow", probe(cell())) == pytest.approx(math.log((found[0] - found[1]) / 2e-6), rel=1e-6)


def test_fisher_is_the_gradient_of_a_gate_on_every_channel() -> None:
    network = probe().network()
    gates = []

    def gate(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        gates.append(torch.ones(*output.shape[:2], *([1] * (output.dim() - 2)), requires_grad=True))
        return output * gates[-1]

    hooked(network, (nn.Conv2d, nn.Linear), gate)
    probe().loss(network).backward()
    expected = sum(float(0.5 * g.grad.square().mean(0).sum()) for g in gates)
    assert evaluate("fisher", probe()) == pytest.approx(expected, rel=1e-4)


def test_jacobian_covariance_of_equal_images_is_the_least() -> None:
    """All correlations are then 1: one eigenvalue is the number of images, the others 0."""
    images = probe().images[:1].repeat(8, 1, 1, 1)
    k = 1e-5
    expected = -(math.log(8 + k) + 1 / (8 + k)) - 7 * (math.log(k) + 1 / k)
    found = evaluate("jacob_cov", replace(probe(), images=images))
    assert found == pytest.approx(expected, rel=0.01)
    assert found < evaluate("jacob_cov", probe())


def test_naswot_counts_the_units_on_which_two_images_agree() -> None:
    small = probe(cell(), images=2)
    network = small.network()
    units = []
    hooked(network, (nn.ReLU,), lambda _module, inputs, _output: units.append((inputs[0] > 0).flatten(1).numpy()))
    network(small.images)
    on = np.concatenate(units, axis=1)
    total = on.shape[1]
    agreeing = int((on[0] == on[1]).sum())
    assert 0 < agreeing < total
    assert evaluate("naswot", small) == pytest.approx(math.log(total**2 - agreeing**2))
    with pytest.raises(EstimateError, match="exactly the same units"):
        evaluate("naswot", replace(small, images=small.images[:1].repeat(2, 1, 1, 1)))


class ScaledStem(Probe):
    """The same network with ten times the weights in its first layer, which batch norm divides out again."""

    def network(self, *args: Any, **options: Any) -> Network:
        network = super().network(*args, **options)
        with torch.no_grad():
            layer_weights(network)[0].mul_(10)
        return network


def test_zen_adds_what_the_norms_divided_by() -> None:
    scaled = ScaledStem(**vars(probe()))
    assert evaluate("zen", scaled) == pytest.approx(evaluate("zen", probe()) + math.log(10), abs=1e-3)


def test_zico_by_numpy() -> None:
    found = []
    for half in (slice(0, 4), slice(4, 8)):
        network = probe().network()
        functional.cross_entropy(network(probe().images[half]), probe().labels[half]).backward()
        found.append([np.abs(w.grad.numpy().astype(np.float64)) for w in layer_weights(network)])
    layers = [np.stack(layer) for layer in zip(*found, strict=True)]
    expected = 0.0
    for layer in layers:
        deviation = layer.std(0)
        some = deviation > 0
        expected += math.log((layer.mean(0)[some] / deviation[some]).sum())
    assert evaluate("zico", probe()) == pytest.approx(expected, rel=1e-4)
    images = probe().images[:4].repeat(2, 1, 1, 1)
    with pytest.raises(EstimateError, match="differs between batches"):
        evaluate("zico", replace(probe(), images=images, labels=probe().labels[:4].repeat(2)))


def test_kernels_of_the_gradients() -> None:
    small = probe(images=KERNEL_IMAGES + 4)
    images = small.images[:KERNEL_IMAGES]
    labels = small.labels[:KERNEL_IMAGES].numpy()
    rows = jacobian(small.network(), images)
    assert evaluate("knas", small) == pytest.approx(2 * math.log(np.linalg.norm(rows.mean(0))), rel=1e-4)
    same = np.where(labels[:, None] == labels[None, :], 1.0, -1.0)
    aligned = np.corrcoef((rows @ rows.T).ravel(), same.ravel())[0, 1]
    assert evaluate("lga", small) == pytest.approx(aligned, rel=1e-4)
    condition = np.linalg.cond(jacobian(small.network("kaiming"), images)) ** 2
    assert evaluate("ntk_condition", small) == pytest.approx(-math.log(condition), rel=1e-2)
    with pytest.raises(EstimateError, match="one class"):
        evaluate("lga", replace(small, labels=torch.zeros_like(small.labels)))


def test_meco_of_two_channels_is_one_minus_their_correlation() -> None:
    """The correlation matrix of two channels has the eigenvalues 1 - |r| and 1 + |r|."""
    pair = probe(plain(width=2))
    network = pair.network()
    expected = []

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        if output.dim() == 4 and output[0, 0].numel() > 1:
            expected.append(1 - abs(np.corrcoef(output[0].detach().flatten(1).numpy())[0, 1]))

    for module in network.children():
        module.register_forward_hook(note)
    network(pair.noise(1))
    assert len(expected) == 6
    assert evaluate("meco", pair) == pytest.approx(sum(expected), abs=1e-4)


def test_entropy_is_the_log_of_the_number_of_equal_directions() -> None:
    independent = torch.linalg.qr(torch.randn(64, 8, generator=torch.Generator().manual_seed(1)))[0]
    centred = independent - independent.mean(0)
    flat = torch.linalg.qr(centred)[0]
    assert az_nas._entropy(flat) == pytest.approx(math.log(8), abs=0.02)
    assert az_nas._entropy(flat[:, :1].repeat(1, 8)) == pytest.approx(0, abs=1e-3)
    assert 0 < evaluate("expressivity", probe(cell())) < sum(math.log(width) for width in (4, 4, 8, 8, 16, 16))


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 0.0), (2.0, -0.5), (0.5, -0.5)])
def test_trainability_is_best_where_gradients_keep_their_size(factor: float, expected: float) -> None:
    signs = torch.randint(0, 2, (64, 4, 16, 16), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    assert az_nas._norm_score(factor * signs, signs) == pytest.approx(expected, abs=0.05)
    # The same through a block that copies each of its 8x8 outputs from one of four inputs.
    assert az_nas._norm_score(functional.pixel_shuffle(factor * signs, 2), signs) == pytest.approx(expected, abs=0.05)


def test_blocks_are_the_ends_of_the_groups_that_mix() -> None:
    blueprint = cell()
    found = [blueprint[name].group for name in blocks(blueprint)]
    cells = ["stage 1 cell 1", "reduction 1", "stage 2 cell 1", "reduction 2", "stage 3 cell 1"]
    assert found == ["stem", *cells]
    assert blueprint[last_map(blueprint)].op == "activation"
    b = BlueprintBuilder(SPEC)
    b.linear(b.conv2d(b.input, 4, 3), 5)
    with pytest.raises(EstimateError, match="only one block"):
        blocks(b.build())
    assert last_map(b.build()) == "conv2d_1"


def test_cells_without_a_way_through_have_no_dead_branches_among_their_blocks() -> None:
    dead_end = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    assert [cell(dead_end)[name].group for name in blocks(cell(dead_end))] == ["stem", "reduction 1", "reduction 2"]
    assert evaluate("grad_norm", probe(cell(dead_end))) > 0
    assert evaluate("grad_norm", probe(cell(dead_end))) != evaluate("grad_norm", probe(cell(CELL)))
