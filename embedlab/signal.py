"""Signal: how much a table would have to say for a fusion to help; linear models, in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import Column, detect, leaks
from embedlab.data.encoding import TableEncoder
from embedlab.errors import EmbedlabError
from embedlab.runs import EMBEDDING, Run
from embedlab.space.compare import Changes, changes
from embedlab.space.probes import classify_linearly
from embedlab.space.scores import Share, accuracy

TABLE = "table."
LEAKING = "sold_as"
COMPONENTS = 64
_SEED = 0


@dataclass(frozen=True)
class Signal:
    """What picture, table and both tell of the class.

    Parameters
    ----------
    arms : dict of str to Share
        "picture", "table", "fused", "shuffled": right answers on the validation pictures.
    best_single : str
        The better one of "picture" and "table".
    changes : Changes
        Which pictures both together get right and the better one alone does not, and the
        other way round.
    columns : tuple of Column
        Of the table.
    warnings : tuple of str
        Columns that give the class away.
    """

    arms: dict[str, Share]
    best_single: str
    changes: Changes
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]


def has_table(run: Run) -> bool:
    """Say whether a table came with the run's pictures."""
    return any(str(name).startswith(TABLE) for name in run.items)


def table_signal(
    run: Run, *, vectors: str = EMBEDDING, signal: float = 1.0, leak: bool = False
) -> Signal:
    """Classify by picture, by table, by both, and by both with the table shuffled.

    scikit-learn's logistic regression (see `embedlab.space.probes.linear_probe`) stands in for
    the network of `embedlab fuse`: fitted on the run's training pictures, scored on its
    validation pictures. Of vectors longer than 64 it is given the first 64 principal components
    of the training pictures, lest a long vector drown a short table.

    Parameters
    ----------
    run : Run
        With labels, a table, and both parts of a split.
    vectors : str
        What the pictures are known by: one of the run's vector sets.
    signal : float
        The share of the rows that keep their place, 0 to 1; the others are dealt anew among
        themselves, so that the columns look the same and say less.
    leak : bool
        Add a column that nobody would have before the answer is known: the class itself.

    Returns
    -------
    Signal

    Raises
    ------
    EmbedlabError
        If the run has no table, no classes, or too few pictures.
    """
    if run.labels is None or not has_table(run):
        raise EmbedlabError(
            "This run has no classes, or no table came with its pictures.",
            remedy="Choose the built-in garden, or run 'embedlab fuse PICTURES TABLE'.",
        )
    frame = table_of(run)
    frame = frame.iloc[_dealt(len(frame), signal)].reset_index(drop=True)
    if leak:
        frame[LEAKING] = run.items["label"].to_numpy(str)
    rows, held = (np.flatnonzero(run.split == part) for part in ("train", "validation"))
    if len(rows) < 12 or not len(held):
        raise EmbedlabError(
            f"This run has {len(rows)} training pictures and {len(held)} for validation.",
            remedy="Choose a run with more.",
        )
    columns = detect(frame)
    labels, picture = run.labels, _components(np.asarray(run.vectors(vectors)), rows)
    found = leaks(frame.iloc[rows], columns, labels[rows], classes=True)
    table = encoded_table(frame, columns, rows)
    order = np.random.default_rng([_SEED, 1]).permutation(len(frame))
    arms = {
        "picture": picture,
        "table": table,
        "fused": np.hstack([picture, table]),
        "shuffled": np.hstack([picture, table[order]]),
    }
    answers = {arm: classify_linearly(x[rows], labels[rows], x[held]) for arm, x in arms.items()}
    shares = {arm: accuracy(labels[held], answer) for arm, answer in answers.items()}
    best = max(("picture", "table"), key=lambda arm: shares[arm].value)
    return Signal(
        shares,
        best,
        changes(labels[held], answers["fused"], answers[best]),
        columns,
        tuple(one.sentence() for one in found),
    )


def table_of(run: Run) -> pd.DataFrame:
    """Give the table that came with a run's pictures: n rows, the columns' own names."""
    names = [str(name) for name in run.items if str(name).startswith(TABLE)]
    return run.items[names].rename(columns=lambda name: str(name).removeprefix(TABLE))


def _components(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    from sklearn.decomposition import PCA

    if vectors.shape[1] <= COMPONENTS or len(rows) <= COMPONENTS:
        return vectors
    found = PCA(COMPONENTS, random_state=0).fit(vectors[rows]).transform(vectors)
    return np.asarray(found, np.float32)


def _dealt(n: int, signal: float) -> NDArray[np.int64]:
    """Name the row that each picture gets: its own for a share of `signal`, else another's."""
    rng = np.random.default_rng(_SEED)
    order = np.arange(n)
    loose = np.flatnonzero(rng.random(n) >= signal)
    order[loose] = rng.permutation(loose)
    return order


def encoded_table(
    frame: pd.DataFrame, columns: Sequence[Column], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Lay a table out as vectors: standardised numbers, and names as ones and zeros.

    Parameters
    ----------
    frame : DataFrame of n rows
    columns : sequence of Column
    rows : ndarray of int64
        Those that vocabularies and scales come from.

    Returns
    -------
    ndarray of shape (n, d), float32
    """
    encoder = TableEncoder.fit(frame, columns, rows)
    encoded = encoder.encode(frame)
    ones = [
        np.eye(n + 1, dtype=np.float32)[encoded.codes[:, i]]
        for i, n in enumerate(encoder.cardinalities)
    ]
    return np.hstack([encoded.numbers, *ones])
