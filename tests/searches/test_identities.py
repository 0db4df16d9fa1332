"""Identities of evaluations: the digests of an earlier build, by which stored scores are found again."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from engine.config.estimators import EstimatorOptions
from engine.space import Architecture
from searches.services.resolving import Stage

OPTIONS: TypeAdapter[EstimatorOptions] = TypeAdapter(EstimatorOptions)
KNOWN: list[tuple[dict[str, Any], int, str, str]] = [
    (
        {"kind": "mote"},
        4,
        "9af8c9e8dfedfbadcd3d40bdcdab1efd2d3089cc9062ddb0147662f94a972a9d",
        "68a54a17165165aa3f43e608761d6816a19427855e0406697511c0238bd52159",
    ),
    (
        {
            "kind": "mote",
            "profile": "paper",
            "time_model": "wall",
            "landscape_mode": "fit",
            "network": "full",
            "reduction": "labels",
            "reduced_labels": 5,
            "encoder": "pixels",
            "seed": 3,
        },
        4,
        "625d9d2341fdf80d53aeb6e8eafaf9e526643db77076a56bbc095030a140e129",
        "6abf9ec2f7227c83ccdff4d414d15750063997ca1772e34e4c9188bf884b91e3",
    ),
    (
        {"kind": "mote_plus"},
        402,
        "71acb5e98ff5f89ea8ea9746e456c254a8f7e0eb204062fffb5c75886c46bf6e",
        "4708cb50142d267443967c3275a9afbf049422c202af2da0e5eda40ecb1dc8cb",
    ),
    (
        {"kind": "mote_plus", "profile": "untrained", "seed": 2},
        402,
        "b741f030d1a1c670aca8f3e6144352e321a4b16e41d40ef7e62e1309edc3472e",
        "1838c5c37cc3bb0b69c504b368d03791a4e07cca9ffdcb06d9c7b27e31a2dffc",
    ),
    (
        {"kind": "loss_curve"},
        401,
        "769385cb33a153d60427afb5764da54eabca421684a57305e7420cc4f06415ff",
        "db121a20aaf1339a96d3ddce25f92d65d3850997abb62d6a27509fc154894e9c",
    ),
    (
        {"kind": "loss_curve", "name": "tse_e", "last_epochs": 3, "profile": "paper"},
        401,
        "2bf0495172ddbb8b2581e7716bb02790968e7ee124e0b0105f738fc81ce7d365",
        "edd1448aa26195df10d2b9f48c025897c8422d0be04e0906889429063aa864f3",
    ),
    (
        {"kind": "proxy"},
        3,
        "6fe4b591d0e0d53d624d8b82216f5f0e13d6f6e66806b816ef125e6aa7346860",
        "9f88bfee96ce0ac05941fff34d978c8f47d10c4685ec53dbfb894815d8f92670",
    ),
    (
        {"kind": "proxy", "name": "zico", "network": "reduced", "images": 16, "seed": 4},
        3,
        "d506112d68ff47f44ffc114f61ba556e71eb416bedd8a328a61e3b461d9ebae3",
        "bc620d00cadaaca03bbdbde79315c48f57ce62ce065dee5d10308cbb7ce5a422",
    ),
    (
        {"kind": "short_training"},
        2,
        "1e832e981890c75c275c68f14ba042d3588a4d5159b8b82107c45135dab8b8e5",
        "0019e7583d948f5213bf65c779c8327069bdd2fa74a6d311c17e57c1a38c4bdc",
    ),
    (
        {"kind": "short_training", "epochs": 5, "batch_size": 32, "learning_rate": 0.1, "seed": 1},
        2,
        "84447cd4b34f9bdc3600335c61b90f62e2269a2da28b06c70bcbb30a3ab6acfa",
        "4d99d10bc7c9000fb4ac96c7a8782fcae082b54f39553da7e2fa2d2458bd23d0",
    ),
    (
        {"kind": "table", "table": 4, "reward": "score"},
        1,
        "8d3c23db9f2489620ba3484fba9588cfddbe4844227c8d18286058e2768e01c0",
        "57d490503b10f6c026aac9211889033ff5c5d441145d44c290e5651abad5958b",
    ),
    (
        {
            "kind": "table",
            "path": "~/scores.csv",
            "reward": "a",
            "cost": "b",
            "truth": "c",
            "seconds": "d",
            "seconds_factor": 2.0,
            "seed": 5,
        },
        1,
        "a1b267f095495765130cb13ee4b7746c4a7c5d60704bba8accca10a531eba20d",
        "6d750efc7c2af2354b04cc0e2413393de32e6462dcd6d3a074baf6b4b2a8c14d",
    ),
    (
        {"kind": "benchmark"},
        1,
        "fb42adb977da1f4a5d24f6c6d3bbe15398dcf3bb1a1ca7dcabfed6d8bd54ccd9",
        "aa5657f8a816d7118f550342a34abc3afdf86d869abc86b69804186b956f0658",
    ),
    (
        {
            "kind": "benchmark",
            "name": "nats_sss",
            "dataset": "cifar100",
            "epochs": 90,
            "truth_epochs": 90,
            "cost": "latency_ms",
        },
        1,
        "9f70cc980a87b2bf7d99a6f2dfe8e4fb9982e12882d68d790fe376254c50e676",
        "ad2e479b61c96479ff4495b07040edc4821e35033ab6199d0b6b220d47f42ebc",
    ),
    (
        {"kind": "nasbench301"},
        1,
        "ffc3331f2b9ea1818b8de50d0897d681e26c04ff2e29534d8c3b6af47c5456f2",
        "fd9f9213b36ec4beac99471cc5796907eb375da4b7cc7f7ae15884ff0033ff90",
    ),
    (
        {"kind": "nasbench301", "version": "0.9", "seed": 1},
        1,
        "00a814237b2251723b4f8ab703cffefedf5fb4dbd00b59c25a970966fb698d40",
        "39bf4bd2ed5bb1c763d2e7b9869679059e2123e34e326bdde3be80558157f28d",
    ),
]
"""An estimate, its recipe, its identity with data of the hash ``images``, and the key of one network's evaluation."""


@pytest.mark.parametrize(("document", "recipe", "identity", "key"), KNOWN)
def test_stored_scores_are_found_again(document: dict[str, Any], recipe: int, identity: str, key: str) -> None:
    options = OPTIONS.validate_python(document)
    stage = Stage(options, None, None, "images")
    assert (options.recipe, stage.identity) == (recipe, identity)
    assert stage.key(Architecture("space", (1, 2, 0))) == key
