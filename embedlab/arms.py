"""Arms: one task with the picture, the table, both, or a shuffled table, and what to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import Column, chosen
from embedlab.data.dataset import TRAIN, split
from embedlab.data.encoding import TableEncoder

if TYPE_CHECKING:
    from embedlab.models.fusion import Inputs
    from embedlab.models.joint import Tunable

ARMS = {
    "picture": "Picture only",
    "table": "Table only",
    "fused": "Picture and table",
    "shuffled": "Picture and shuffled table",
}
BASELINE = "boosting"
HELD_OUT, TUNING = 0.2, 0.15  # of all pictures; of those that are left
COMPONENTS = 32  # of the embedding, for the baseline
_MOST_CODES = 250  # names that scikit-learn's boosting takes in one column

Scores = dict[str, float]


@dataclass(frozen=True, eq=False)
class Task:
    """What is predicted from what. Row i of everything belongs to picture i.

    Parameters
    ----------
    embeddings : ndarray of shape (n, d), float32
        From a body that has not seen these pictures' targets.
    frame : DataFrame of n rows
    columns : sequence of Column
        The numeric and categorical ones are used.
    target : ndarray of shape (n,)
        int64 class indices, or float64 numbers.
    classes : tuple of str
        Empty for a number.
    tunable : Tunable, optional
        The body that gave the embeddings, where it may be trained as well.
    """

    embeddings: NDArray[np.float32]
    frame: pd.DataFrame
    columns: Sequence[Column]
    target: NDArray[Any]
    classes: tuple[str, ...] = ()
    tunable: Tunable | None = None

    @property
    def used(self) -> list[str]:
        """Names of the columns that are used."""
        return [c.name for c in self.columns if c.kind in ("numeric", "categorical")]


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows to fit on, to stop by, and to score, for one seed; each ascending."""

    fit: NDArray[np.int64]
    tune: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @property
    def train(self) -> NDArray[np.int64]:
        """All rows that may be learned from."""
        return np.sort(np.concatenate([self.fit, self.tune]))


def deal(task: Task, seed: int) -> Parts:
    """Split the pictures for one seed; classes are split each by itself.

    A class with few pictures may be missing from the tuning part.
    """
    stratify = task.target if task.classes else None
    parts = split(len(task.target), fraction=HELD_OUT, seed=seed, stratify=stratify)
    train = np.flatnonzero(parts == TRAIN)
    inner = split(
        len(train),
        fraction=TUNING,
        seed=seed,
        stratify=None if stratify is None else stratify[train],
    )
    fit, tune = train[inner == TRAIN], train[inner != TRAIN]
    return Parts(fit, tune, np.flatnonzero(parts != TRAIN))


def measure(out: NDArray[np.float64], target: NDArray[Any], *, classes: bool) -> Scores:
    """Score answers: accuracy; or R² and the mean absolute error.

    Parameters
    ----------
    out : ndarray of shape (n, c) or (n, 1)
        Logits or probabilities; or numbers in the target's own unit.
    target : ndarray of shape (n,)
    classes : bool
    """
    if classes:
        return {"accuracy": float((out.argmax(axis=1) == target).mean())}
    missed = out[:, 0] - target
    spread = float(((target - target.mean()) ** 2).sum())
    r2 = 1 - float((missed**2).sum()) / spread if spread > 0 else float("nan")
    return {"R²": r2, "MAE": float(np.abs(missed).mean())}


def arm_inputs(
    task: Task, arm: str, fit_rows: NDArray[np.int64], seed: int
) -> tuple[Inputs, TableEncoder]:
    """Give what an arm may see of every picture, encoded by what the fitting rows say."""
    from embedlab.models.fusion import Inputs

    frame = task.frame
    if arm == "shuffled":
        order = np.random.default_rng([seed, 1]).permutation(len(frame))
        frame = frame.iloc[order].reset_index(drop=True)
    encoder = TableEncoder.fit(frame, task.columns, fit_rows)
    if arm == "picture":
        return Inputs(picture=task.embeddings), encoder
    table = encoder.encode(frame)
    picture = None if arm == "table" else task.embeddings
    return Inputs(picture, table.codes, table.numbers), encoder


def boosting(task: Task, parts: Parts, seed: int) -> Scores:
    """Score the thing to beat: gradient boosting on principal components beside the columns.

    scikit-learn's HistGradientBoosting with its own settings; the components are those of the
    training pictures' embeddings, and numbers that are missing stay missing.
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    train = parts.train
    k = min(COMPONENTS, len(train), task.embeddings.shape[1])
    components = PCA(k, random_state=0).fit(task.embeddings[train]).transform(task.embeddings)
    encoder = TableEncoder.fit(task.frame, task.columns, train)
    codes = encoder.encode(task.frame).codes.astype(np.float64)
    numbers = [
        task.frame[name].to_numpy(np.float64, na_value=np.nan)[:, None]
        for name in chosen(task.columns, "numeric")
    ]
    x = np.concatenate([components, *numbers, codes], axis=1)
    first = x.shape[1] - codes.shape[1]
    few = [first + i for i, n in enumerate(encoder.cardinalities) if n <= _MOST_CODES]
    model = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    fitted = model(categorical_features=few or None, random_state=seed)
    fitted.fit(x[train], task.target[train])
    if not task.classes:
        out = fitted.predict(x[parts.held_out])[:, None]
    else:
        out = np.zeros((len(parts.held_out), len(task.classes)))
        out[:, fitted.classes_] = fitted.predict_proba(x[parts.held_out])
    return measure(out, task.target[parts.held_out], classes=bool(task.classes))
