"""Runs side by side: the pictures that they share, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.runs import Run


@dataclass(frozen=True, eq=False)
class Pairing:
    """The pictures that two runs have in common. Picture i of m is a row of each.

    Parameters
    ----------
    first, second : ndarray of shape (m,), int64
        Its row in the first and in the second run; ascending in the first.
    by : "content" or "name"
        What tells that it is the same picture.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    by: Literal["content", "name"]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, chosen: NDArray[Any]) -> Pairing:
        """Keep some of the pictures: places among the m, or a mask."""
        return Pairing(self.first[chosen], self.second[chosen], self.by)


def pair(first: Run, second: Run) -> Pairing:
    """Find the pictures that two runs have in common.

    By content, the SHA-256 of each picture, where both runs know it; else, or where no content
    agrees, by name. A picture that is there twice is paired twice, in order.
    """
    if all("digest" in run.items for run in (first, second)):
        found = _matched(first.items["digest"], second.items["digest"])
        if len(found[0]):
            return Pairing(*found, "content")
    return Pairing(*_matched(first.items["id"], second.items["id"]), "name")


def _matched(
    first: pd.Series[Any], second: pd.Series[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    tables = []
    for keys in (first, second):
        text = keys.astype("string").reset_index(drop=True)
        table = pd.DataFrame({"key": text, "row": np.arange(len(text))}).dropna()
        table["turn"] = table.groupby("key").cumcount()
        tables.append(table)
    joined = tables[0].merge(tables[1], on=["key", "turn"]).sort_values("row_x")
    return joined["row_x"].to_numpy(np.int64), joined["row_y"].to_numpy(np.int64)


def held_out(first: Run, second: Run, pairing: Pairing) -> Pairing:
    """Keep the pictures that are validation pictures in both runs: neither was trained on them."""
    unseen = (first.split[pairing.first] == "validation") & (
        second.split[pairing.second] == "validation"
    )
    return pairing.take(unseen)


@dataclass(frozen=True, eq=False)
class Answers:
    """What two runs predict for the pictures that they share and label alike.

    Parameters
    ----------
    pairing : Pairing of m pictures
    names : tuple of str
        Of the classes.
    labels, first, second : ndarray of shape (m,), int64
        Index into `names`: the true class and the two predictions.
    n_disputed : int
        How many pictures were left out because the runs label them differently.
    """

    pairing: Pairing
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    n_disputed: int


def answers(first: Run, second: Run, pairing: Pairing) -> Answers | None:
    """Lay the predictions of two runs side by side; None where a run has no labels or no head."""
    wanted = {"label", "prediction"}
    if not all(wanted <= set(map(str, run.items)) for run in (first, second)):
        return None
    own = first.items["label"].iloc[pairing.first].to_numpy(str)
    others = second.items["label"].iloc[pairing.second].to_numpy(str)
    kept = pairing.take(own == others)
    columns = [
        first.items["label"].iloc[kept.first],
        first.items["prediction"].iloc[kept.first],
        second.items["prediction"].iloc[kept.second],
    ]
    codes, names = pd.factorize(np.concatenate([column.to_numpy(str) for column in columns]))
    labels, one, two = np.split(codes.astype(np.int64), 3)
    return Answers(kept, tuple(map(str, names)), labels, one, two, len(pairing) - len(kept))


def same_pictures(first: Run, second: Run) -> bool:
    """Say whether two runs are of the same pictures, whatever these are called."""
    one, other = (run.info.get("dataset", {}).get("fingerprint") for run in (first, second))
    return bool(one) and one == other


def differences(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """List the settings in which runs differ.

    Returns
    -------
    list of (name, values)
        A value a run, as text; "–" where a run has no such setting.
    """
    settings = [_settings(run) for run in runs]
    if all(same_pictures(runs[0], run) for run in runs[1:]):
        for one in settings:
            one.pop("pictures", None)  # called otherwise, but the same
    names = list(dict.fromkeys(name for one in settings for name in one))
    rows = [(name, [one.get(name, "–") for one in settings]) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def siblings(run: Run, others: Iterable[Run]) -> list[Run]:
    """Find the runs that differ from one in the seed of the training and in nothing else."""
    return [
        other
        for other in others
        if other.id != run.id
        and same_pictures(run, other)
        and {
            name
            for name, _ in differences([run, other])
            if name != "device" and not name.endswith("'s version")
        }
        == {"seed"}
    ]


def _settings(run: Run) -> dict[str, str]:
    """Write down what was decided when a run was made, in people's words."""
    info = run.info
    weights: Mapping[str, Any] = info.get("weights") or {}
    split: Mapping[str, Any] = info.get("split") or {}
    found: dict[str, Any] = {
        "pictures": info.get("dataset", {}).get("name"),
        "number of pictures": f"{run.n_items:,}",
        "classes": ", ".join(run.classes) or None,
        "backbone": info.get("backbone", {}).get("title"),
        "weights": weights.get("name") or weights.get("kind"),
        "cut": info.get("cut"),
        "dimensions": f"{info['n_dims']:,}",
    }
    training: Mapping[str, Any] = info.get("training") or {}
    found |= {
        name.replace("_", " "): value
        for name, value in training.items()
        if name not in ("backbone", "weights", "cut", "probe")
    }
    found |= {
        f"head's {name.replace('_', ' ')}": value
        for name, value in (info.get("head") or {}).items()
        if name != "on" and value != training.get(name)
    }
    found |= _fusion_settings(info.get("fusion") or {})
    found |= {
        "validation share": split.get("fraction"),
        "seed of the split": split.get("seed"),
        "split by class": split.get("stratified"),
    }
    preprocessing: Mapping[str, Any] = info.get("preprocessing") or {}
    found["size"] = found.get("size") or preprocessing.get("size")
    if preprocessing.get("resize") != found["size"]:
        found["resized to"] = preprocessing.get("resize")
    for name in ("interpolation", "mean", "std"):
        found[name] = preprocessing.get(name)
    found["device"] = info.get("device")
    found |= {f"{name}'s version": text for name, text in (info.get("versions") or {}).items()}
    return {name: _text(value) for name, value in found.items() if value not in (None, "")}


def _fusion_settings(fusion: Mapping[str, Any]) -> dict[str, Any]:
    """Write down how a table was fused with the pictures: asked for, and chosen for the network."""
    chosen = fusion.get("chosen_settings", {}).get("fused") or [{}]
    return {
        "target": fusion.get("target"),
        **{f"column {column['name']}": column["kind"] for column in fusion.get("columns", [])},
        "splits": len(fusion["seeds"]) if "seeds" in fusion else None,
        "settings to choose from": fusion.get("search"),
        **{name.replace("_", " "): value for name, value in chosen[0].items()},
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return str(value)
