"""Write embedlab/models/known_cuts.json: ``python -m tests.make_known_cuts``."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from embedlab.models import known_cuts
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.network import Network


def counted(network: Network) -> list[list[Any]]:
    """Give a row a stage: name, shape, share of the body's multiplications until its end."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    found: dict[str, int] = {}

    def keep(name: str, *_: object) -> None:
        found[name] = counter.get_total_flops()

    stages = network.cuts[:-1]
    handles = [
        network.body.get_submodule(network.path_of(cut.name)).register_forward_hook(
            partial(keep, cut.name)
        )
        for cut in stages
    ]
    with counter, torch.no_grad():
        network.eval().body(torch.empty(1, 3, network.size, network.size))
    for handle in handles:
        handle.remove()
    whole = counter.get_total_flops()
    return [[cut.name, list(cut.shape), round(found[cut.name] / whole, 3)] for cut in stages]


def table() -> dict[str, list[list[Any]]]:
    """Count every network's stages, on torch's meta device."""
    from tests.test_backbones import NETWORKS, hollow

    found = {}
    for name in NETWORKS:
        with hollow():
            found[name] = counted(build(name, n_classes=5, weights="random"))
    return found


if __name__ == "__main__":
    assert set(BACKBONES)
    lines = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in table().items()]
    known_cuts._TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
