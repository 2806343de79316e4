"""Trials: every arm of a task trained and scored on every split, with equal care."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.arms import (
    ARMS,
    BASELINE,
    HELD_OUT,
    Parts,
    Scores,
    Task,
    arm_inputs,
    boosting,
    deal,
    measure,
)
from embedlab.data.encoding import TableEncoder
from embedlab.progress import Progress, silent
from embedlab.space.repeats import Repeated, repeated
from embedlab.space.scores import Interval

if TYPE_CHECKING:
    from embedlab.models.batches import Source
    from embedlab.models.fusion import Fitted, Inputs
    from embedlab.models.fusion_settings import FusionSettings

SHUFFLES = 5  # of each column, for its importance
_BOUNDS = {"accuracy": (0.0, 1.0), "R²": (-math.inf, 1.0), "MAE": (0.0, math.inf)}


@dataclass(frozen=True, eq=False)
class Kept:
    """The fused network of the first seed, and what it was given."""

    parts: Parts
    inputs: Inputs
    fitted: Fitted
    centre: float
    unit: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """What came of all arms.

    Parameters
    ----------
    metrics : tuple of str
        Names of the scores; the first one decides.
    scores : dict of arm to list of dict
        A dict of scores a seed; `ARMS` and the baseline.
    importance : dict of column to list of float
        How much of the first score the fused network loses without the column, a number a seed.
    seeds : tuple of int
    kept : Kept
    settings : dict of arm to list of FusionSettings
        With which each arm was trained, one a seed.
    tuned_epochs : dict of arm to list of int
        After how many epochs of fine-tuning each body was best.
    """

    metrics: tuple[str, ...]
    scores: dict[str, list[Scores]]
    importance: dict[str, list[float]]
    seeds: tuple[int, ...]
    kept: Kept
    settings: dict[str, list[FusionSettings]]
    tuned_epochs: dict[str, list[int]]

    def of(self, arm: str, metric: str | None = None) -> Repeated:
        """Sum up one arm; no interval goes beyond what its score can be."""
        metric = metric or self.metrics[0]
        found = repeated([s[metric] for s in self.scores[arm]], held_out=HELD_OUT)
        least, most = _BOUNDS.get(metric, (-math.inf, math.inf))
        low, high = found.interval
        return replace(found, interval=Interval(max(low, least), min(high, most)))

    def gain(self, arm: str, other: str) -> Repeated:
        """Sum up by how much one arm beats another on the same splits."""
        pairs = zip(self.scores[arm], self.scores[other], strict=True)
        metric = self.metrics[0]
        return repeated([a[metric] - b[metric] for a, b in pairs], held_out=HELD_OUT)

    @property
    def best_single(self) -> str:
        """The better one of the two branches alone."""
        return max(("picture", "table"), key=lambda arm: self.of(arm).mean)


def compare(
    task: Task,
    settings: FusionSettings,
    *,
    seeds: Sequence[int],
    search: int = 1,
    progress: Progress = silent,
) -> Comparison:
    """Train and score every arm for every seed.

    A seed deals its own split and its own initial weights; all arms of a seed have the same
    split, the same candidates for their settings and the same way to stop. The table of the
    shuffled arm has its rows dealt anew to the pictures, so it is as long and as odd as the true
    one, and says nothing.

    Parameters
    ----------
    task : Task
    settings : FusionSettings
    seeds : sequence of int
    search : int
        How many settings each arm tries, these first and others drawn at random; those whose
        tuning loss is least are taken. The pictures that are held out have no say in it.
    progress : Progress

    Returns
    -------
    Comparison
    """
    scores: dict[str, list[Scores]] = {arm: [] for arm in (*ARMS, BASELINE)}
    fits: dict[str, list[Fitted]] = {arm: [] for arm in ARMS}
    importance: dict[str, list[float]] = {name: [] for name in task.used}
    source = task.tunable.source() if task.tunable and settings.fine_tune else None
    kept: Kept | None = None
    total = len(seeds) * (len(ARMS) + 1)
    for seed in seeds:
        parts = deal(task, seed)
        held = task.target[parts.held_out]
        centre, unit = _scale(task, parts)
        for arm in ARMS:
            done = sum(map(len, scores.values()))
            progress("training networks", done, total)
            inputs, encoder = arm_inputs(task, arm, parts.fit, seed)
            fitted = _chosen(task, inputs, encoder, parts, settings, seed, search)
            if source is not None and inputs.picture is not None:
                fitted, inputs = _tuned(
                    task, fitted, source, inputs, parts, seed, _within(progress, done, total)
                )
            answer = _answers(fitted, centre, unit)
            found = measure(answer(inputs.take(parts.held_out)), held, classes=bool(task.classes))
            scores[arm].append(found)
            fits[arm].append(fitted)
            if arm == "fused":
                kept = kept or Kept(parts, inputs, fitted, centre, unit)
                drops = column_importance(
                    task, encoder, answer, parts.held_out, picture=inputs.picture, seed=seed
                )
                for name, drop in drops.items():
                    importance[name].append(drop)
        scores[BASELINE].append(boosting(task, parts, seed))
    progress("training networks", total, total)
    assert kept is not None
    return Comparison(
        tuple(scores["fused"][0]),
        scores,
        importance,
        tuple(seeds),
        kept,
        {arm: [fitted.settings for fitted in fits[arm]] for arm in ARMS},
        {arm: [fitted.tuned_epochs for fitted in fits[arm]] for arm in ARMS},
    )


def column_importance(
    task: Task,
    encoder: TableEncoder,
    answer: Callable[[Inputs], NDArray[np.float64]],
    rows: NDArray[np.int64],
    *,
    picture: NDArray[np.float32] | None,
    seed: int,
) -> dict[str, float]:
    """Shuffle one column at a time among some rows, and see what it costs.

    L. Breiman, "Random forests", Machine Learning 45 (2001), 5-32. Columns that say the same
    stand in for each other, and then each looks unimportant.

    Parameters
    ----------
    task : Task
    encoder : TableEncoder
    answer : callable
        Gives the network's answers, as `measure` takes them, for `Inputs`.
    rows : ndarray of int64
        Pictures that were not trained on.
    picture : ndarray of shape (n, d), float32
        The embeddings that the network is given.
    seed : int

    Returns
    -------
    dict of str to float
        The loss of the first score, by column, as the mean of 5 shuffles.
    """
    from embedlab.models.fusion import Inputs

    frame = task.frame.iloc[rows].reset_index(drop=True)
    seen = None if picture is None else picture[rows]
    rng = np.random.default_rng([seed, 2])

    def score(table: pd.DataFrame) -> float:
        encoded = encoder.encode(table)
        out = answer(Inputs(seen, encoded.codes, encoded.numbers))
        return next(iter(measure(out, task.target[rows], classes=bool(task.classes)).values()))

    whole = score(frame)
    found = {}
    for name in task.used:
        shuffled = [
            score(frame.assign(**{name: frame[name].to_numpy()[rng.permutation(len(frame))]}))
            for _ in range(SHUFFLES)
        ]
        found[name] = whole - float(np.mean(shuffled))
    return found


def _scale(task: Task, parts: Parts) -> tuple[float, float]:
    if task.classes:
        return 0.0, 1.0
    values = task.target[parts.fit]
    return float(values.mean()), float(values.std()) or 1.0


def _chosen(
    task: Task,
    inputs: Inputs,
    encoder: TableEncoder,
    parts: Parts,
    settings: FusionSettings,
    seed: int,
    search: int,
) -> Fitted:
    """Train with each candidate for the settings; give the one whose tuning loss is least."""
    from embedlab.models.fusion import fit_fusion
    from embedlab.models.fusion_settings import candidates

    net_of: dict[str, Any] = {
        "n_outputs": len(task.classes) or 1,
        "n_dims": 0 if inputs.picture is None else inputs.picture.shape[1],
        "table": None if inputs.codes is None else (encoder.cardinalities, encoder.n_numbers),
    }
    target = _scaled(task, parts)
    fits = (
        fit_fusion(net_of, inputs, target, one, fit_rows=parts.fit, tune_rows=parts.tune, seed=seed)
        for one in candidates(settings, search, seed)
    )
    return min(fits, key=lambda fitted: fitted.loss)


def _tuned(
    task: Task,
    fitted: Fitted,
    source: Source,
    inputs: Inputs,
    parts: Parts,
    seed: int,
    progress: Progress,
) -> tuple[Fitted, Inputs]:
    from embedlab.models.joint import fine_tune_fusion

    assert task.tunable is not None
    done, embeddings = fine_tune_fusion(
        fitted,
        task.tunable,
        source,
        inputs,
        _scaled(task, parts),
        fit_rows=parts.fit,
        tune_rows=parts.tune,
        seed=seed,
        progress=progress,
    )
    return done, replace(inputs, picture=embeddings)


def _within(progress: Progress, done: int, total: int) -> Progress:
    """Report the steps inside of one arm as a part of all arms."""

    def report(stage: str, done: int, total: int, **facts: float) -> None:
        progress(f"{stage}, {where}", done, total, **facts)

    where = f"arm {done + 1} of {total}"
    return report


def _scaled(task: Task, parts: Parts) -> NDArray[Any]:
    centre, unit = _scale(task, parts)
    return task.target if task.classes else ((task.target - centre) / unit).astype(np.float32)


def _answers(fitted: Fitted, centre: float, unit: float) -> Callable[[Inputs], NDArray[np.float64]]:
    from embedlab.models.fusion import predict

    return lambda inputs: predict(fitted.net, inputs).astype(np.float64) * unit + centre
