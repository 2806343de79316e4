"""Fusing: from pictures and a table to what the table adds, and a run to walk through."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.arms import ARMS, BASELINE, HELD_OUT, Task
from embedlab.assembling import Assembled
from embedlab.data.dataset import TRAIN, VALIDATION
from embedlab.errors import EmbedlabError
from embedlab.facts import scores, softmax
from embedlab.lab import Clock, Lab, workspace
from embedlab.models.backbones import backbone as look_up
from embedlab.models.backbones import build
from embedlab.models.device import pick_device
from embedlab.progress import Progress, silent
from embedlab.runs import Head, Run, check_free
from embedlab.shares import SHARES
from embedlab.space.repeats import Repeated
from embedlab.trials import Comparison, compare

if TYPE_CHECKING:
    from embedlab.models.extraction import Extraction
    from embedlab.models.fusion_settings import FusionSettings
    from embedlab.models.joint import Tunable
    from embedlab.models.network import Network

SEEDS = FEWEST = 5
SEARCH = 8
_VECTORS = {"picture": "Picture branch", "table": "Table branch"}


def fuse(
    assembled: Assembled,
    *,
    backbone: str,
    weights: str | Path | None = None,
    size: int | None = None,
    settings: FusionSettings | None = None,
    seeds: int = SEEDS,
    search: int = SEARCH,
    title: str | None = None,
    folder: Path | None = None,
    device: str = "auto",
    words: Sequence[str] = (),
    progress: Progress = silent,
) -> Run:
    """Find out what a table adds to pictures, and keep it as a run.

    The pictures go once through the body, and all networks work on these embeddings; where the
    settings ask for fine-tuning, they go on from there with the body. The run's embedding is the
    fused one; its other sets of vectors "picture" and "table" are the two branches of the same
    network, that of the first seed, whose split the run has.

    Parameters
    ----------
    assembled : Assembled
    backbone, weights, size
        As for `embedlab.experiment.embed_dataset`; "pixels" and "histogram" too.
    settings : FusionSettings, optional
    seeds : int
        How many splits, at least 2: seeds 0, 1, 2, ...
    search : int
        How many settings each arm may choose from, on pictures that are not held out.
    title, folder, device
        As for `embedlab.experiment.train`.
    words : sequence of str
        The command line that does the same.
    progress : Progress

    Returns
    -------
    Run
        ``run.info["fusion"]`` holds the results of all arms.

    Raises
    ------
    EmbedlabError
        As from `embedlab.experiment.embed_dataset`, or if there are fewer than 2 seeds.
    """
    from embedlab.models.fusion_settings import FusionSettings

    if not 2 <= seeds <= 100:
        raise EmbedlabError(f"seeds is {seeds}.", remedy="2 to 100 give an interval; 5 is usual.")
    if not 1 <= search <= 1000:
        raise EmbedlabError(f"search is {search}.", remedy="1 tries the given settings only.")
    settings = settings or FusionSettings()
    check_free(folder)
    dataset, chosen = assembled.dataset, look_up(backbone)
    if settings.fine_tune and chosen.kind == "plain":
        raise EmbedlabError(
            f"{chosen.title} has nothing that could be fine-tuned.", remedy="Name a network."
        )
    clock, preprocessing = Clock(), chosen.preprocessing(size, weights)
    facts = {"fuse": settings.to_dict(), "backbone": backbone, "weights": str(weights)}
    network: Network | None = None
    with workspace(dataset, {**facts, "target": assembled.target.name}, None) as place:
        if chosen.kind == "plain":
            lab = Lab(dataset, None, preprocessing, None, place, progress, clock, backbone)
            found, provenance = lab.embed_plainly(), {}
        else:
            network = build(
                backbone, n_classes=1, weights=weights, seed=0, size=size, progress=progress
            )
            lab = Lab(dataset, network, preprocessing, pick_device(device), place, progress, clock)
            found, provenance = lab.embed(16, changed=False), dict(network.provenance)
        assert dataset.table is not None
        task = Task(
            found.embeddings,
            dataset.table.iloc[found.rows].reset_index(drop=True),
            assembled.columns,
            assembled.target.values[found.rows],
            assembled.target.classes,
            _tunable(lab, found) if settings.fine_tune else None,
        )
        with clock("fuse"):
            compared = compare(task, settings, seeds=range(seeds), search=search, progress=progress)
        # A body would embed a new picture into another space than the run's embeddings.
        lab.files.clear()
        lab = replace(lab, network=None, backbone=backbone)
        name = f"{dataset.name}, {assembled.target.name} from {chosen.title} and table"
        info = {
            "title": title or name,
            "classes": list(dataset.classes),
            "command": shlex.join(words),
            "fusion": {
                **report(assembled, compared),
                "settings": settings.to_dict(),
                "search": search,
                "weights": provenance,
            },
        }
        return _save(lab, folder, info, found, task, compared)


def report(assembled: Assembled, compared: Comparison) -> dict[str, Any]:
    """Put what came of all arms into JSON values, with the verdict in words."""
    arms = {
        arm: {
            "title": title,
            **{metric: _summed(compared.of(arm, metric)) for metric in compared.metrics},
        }
        for arm, title in {**ARMS, BASELINE: "Boosting on both"}.items()
    }
    drops = {name: float(np.mean(values)) for name, values in compared.importance.items()}
    return {
        "target": assembled.target.name,
        "metrics": list(compared.metrics),
        "seeds": list(compared.seeds),
        "arms": arms,
        "best_single": compared.best_single,
        "gain": _summed(compared.gain("fused", compared.best_single)),
        "gain_over_shuffled": _summed(compared.gain("fused", "shuffled")),
        "verdict": verdict(compared),
        "importance": dict(sorted(drops.items(), key=lambda pair: -pair[1])),
        "columns": [asdict(column) for column in assembled.columns],
        "joined": list(assembled.joined),
        "warnings": list(assembled.warnings),
        "body": "fine-tuned" if _is_tuned(compared) else "as it was",
        "tuned_epochs": compared.tuned_epochs,
        "chosen_settings": {
            arm: [one.to_dict() for one in chosen] for arm, chosen in compared.settings.items()
        },
    }


def _is_tuned(compared: Comparison) -> bool:
    """Say whether fine-tuning was asked for; whether it was of use is another matter."""
    return any(one.fine_tune for chosen in compared.settings.values() for one in chosen)


def _tunable(lab: Lab, found: Extraction) -> Tunable:
    from embedlab.models.joint import Tunable

    assert lab.network is not None and lab.device is not None
    return Tunable(lab.network, lab.dataset.take(found.rows), lab.preprocessing, lab.device)


def verdict(compared: Comparison) -> str:
    """Say in words what the table added, no better than it is."""
    best, metric = ARMS[compared.best_single].lower(), compared.metrics[0]
    gain = compared.gain("fused", compared.best_single)
    low, high = gain.interval
    if len(compared.seeds) < FEWEST:
        return (
            f"On {len(compared.seeds)} splits, picture and table together differ from {best} by "
            f"{gain.mean:+.3f} in {metric}. Fewer than {FEWEST} splits say nothing for certain."
        )
    if low == high == 0:
        return f"Fusion is exactly as good as {best} on every split: nothing is gained."
    by = f"{gain.mean:+.3f} in {metric} (95 %: {low:+.3f} to {high:+.3f})"
    if low > 0:
        said = f"Fusion beats the better branch alone ({best}): {by}."
    elif high < 0:
        said = f"Fusion is worse than {best}: {by}. Take {best}."
    else:
        said = f"Fusion does not beat {best}: {by}, which may be chance."
    if compared.gain("fused", "shuffled").interval.low <= 0:
        said += " A shuffled table does about as well: nothing that the table says was of use."
    rest = compared.gain("fused", BASELINE)
    if rest.interval.high < 0:
        said += " Gradient boosting on the same data does better than the fused network."
    elif rest.interval.low > 0:
        said += " It beats gradient boosting on the same data."
    else:
        said += " Between it and gradient boosting on the same data there is no clear difference."
    return said


def _save(
    lab: Lab,
    folder: Path | None,
    info: dict[str, Any],
    found: Extraction,
    task: Task,
    compared: Comparison,
) -> Run:
    from embedlab.models.fusion import branch_shares, branch_vectors, predict

    kept, net = compared.kept, compared.kept.fitted.net
    shares = branch_shares(net, kept.inputs, kept.parts.train)
    shares = {name: share * kept.unit for name, share in shares.items()}
    shares["base"] += kept.centre
    lab.files[SHARES] = lab.place / SHARES
    np.savez(lab.files[SHARES], **shares)  # type: ignore[arg-type]
    vectors = branch_vectors(net, kept.inputs)
    for name, words in _VECTORS.items():
        about = {"title": words, "n_dims": vectors[name].shape[1], "after": "LayerNorm"}
        for suffix in ("npy", "json"):
            lab.files[f"vectors/{name}.{suffix}"] = lab.place / f"{name}.{suffix}"
        np.save(lab.place / f"{name}.npy", vectors[name])
        (lab.place / f"{name}.json").write_text(json.dumps(about), encoding="utf-8")
    parts = np.full(len(found.rows), TRAIN, dtype="<U10")
    parts[kept.parts.held_out] = VALIDATION
    info["split"] = {
        "fraction": HELD_OUT,
        "seed": compared.seeds[0],
        "stratified": bool(task.classes),
        "train": len(kept.parts.train),
        "validation": len(kept.parts.held_out),
    }
    probabilities, info["metrics"] = None, {}
    weight, bias = net.head.weight.detach().numpy(), net.head.bias.detach().numpy()
    # The head of a number counts in the target's own unit: one row, along which it grows.
    names = task.classes or (info["fusion"]["target"],)
    head = Head(weight * np.float32(kept.unit), bias * np.float32(kept.unit), names)
    if task.classes:
        probabilities = softmax(head.logits(vectors["fused"]))
        info["metrics"] = scores(task.target, probabilities.argmax(axis=1), parts, task.classes)
    else:
        head = replace(head, bias=head.bias + np.float32(kept.centre))
        info["head_classes"] = list(names)
        lab = _with_predictions(lab, found.rows, info["fusion"]["target"], task, kept, predict)
    return lab.save(
        folder,
        info,
        replace(found, embeddings=vectors["fused"]),
        parts=parts,
        probabilities=probabilities,
        head=head,
    )


def _with_predictions(
    lab: Lab, rows: NDArray[np.int64], name: str, task: Task, kept: Any, predict: Any
) -> Lab:
    """Put the true and the predicted numbers into the table."""
    frame = lab.dataset.table
    assert frame is not None
    answers = np.full(len(frame), np.nan)
    answers[rows] = predict(kept.fitted.net, kept.inputs)[:, 0] * kept.unit + kept.centre
    truth = np.full(len(frame), np.nan)
    truth[rows] = task.target
    table = frame.assign(**{name: truth, f"predicted {name}": answers})
    return replace(lab, dataset=replace(lab.dataset, table=table))


def _summed(found: Repeated) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "interval": list(found.interval),
        "scores": list(found.scores),
    }
