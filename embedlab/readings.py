"""How well what is known of the pictures is read off each representation; kept in the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.runs import EMBEDDING, Run
from embedlab.space.probes import ReadOff, read_off
from embedlab.space.scores import Interval

FACTOR = "factor."
REPRESENTATIONS = ("pixels", "histogram", EMBEDDING)

Readings = dict[str, dict[str, ReadOff]]


def factor_columns(run: Run) -> dict[str, pd.Series]:
    """Give what is known of each picture: its class, then every known factor, by name."""
    columns = {"class": run.items["label"]} if run.labels is not None else {}
    for name in map(str, run.items):
        if name.startswith(FACTOR):
            columns[name.removeprefix(FACTOR)] = run.items[name]
    return columns


def _key(run: Run, names: Sequence[str]) -> str:
    text = json.dumps([run.views_of, list(names), "readings", 1])
    return f"readings-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def kept_readings(run: Run, names: Sequence[str]) -> Readings | None:
    """Read what `make_readings` kept for these sets of vectors, or None."""
    kept = run.load_projection(_key(run, names))
    if kept is None:
        return None
    return {
        factor: {
            name: ReadOff(**{**reading, "interval": Interval(*reading["interval"])})
            for name, reading in by_name.items()
        }
        for factor, by_name in json.loads(str(kept["readings"])).items()
    }


def make_readings(run: Run, names: Sequence[str], *, progress: Progress = silent) -> Readings:
    """Read the class and every known factor off several sets of vectors, and keep the result.

    Linear models are fitted on the training pictures and scored on the validation pictures.

    Parameters
    ----------
    run : Run
    names : sequence of str
        Names of the run's sets of vectors.
    progress : Progress

    Returns
    -------
    dict of dict of ReadOff
        By factor, then by set of vectors. Factors that cannot be read, such as one that is the
        same for all pictures, are left out.
    """
    kept = kept_readings(run, names)
    if kept is not None:
        return kept
    rows = np.flatnonzero(run.split == "train")
    held_out = np.flatnonzero(run.split == "validation")
    columns = factor_columns(run)
    found: Readings = {}
    for step, (factor, values) in enumerate(columns.items()):
        progress("reading known factors", step, len(columns))
        try:
            found[factor] = {
                name: read_off(run.vectors(name), values, rows=rows, held_out=held_out)
                for name in names
            }
        except EmbedlabError:
            continue
    progress("reading known factors", len(columns), len(columns))
    text = json.dumps({f: {n: asdict(r) for n, r in by.items()} for f, by in found.items()})
    run.save_projection(_key(run, names), readings=np.array(text))
    return found
