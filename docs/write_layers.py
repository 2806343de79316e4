"""Write up what docs/layers.csv holds: the tables of docs/layers.md and its curves.

    python docs/write_layers.py

docs/make_layers.py measures.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from make_layers import CSV, FIGURES, HERE, SIZES, TITLES
from numpy.typing import NDArray

from embedlab.figures.palette import class_style

PAGE = HERE / "layers.md"
SCORES = {"knn": "10 neighbours", "probe": "linear probe"}
PLANES = {"pca": "PCA's plane", "umap": "UMAP's plane"}


def main() -> None:
    """Put the tables into docs/layers.md and draw the curves."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        text, found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda match, table=table: f"{match[1]}\n{table}\n\n{match[2]}",
            text,
            flags=re.DOTALL,
        )
        assert found == 1, name
    PAGE.write_text(text, encoding="utf-8")
    draw(measured())


def measured() -> pd.DataFrame:
    """Read what was measured, counts as shares."""
    lines = pd.read_csv(CSV)
    for score in (*SCORES, *PLANES):
        lines[score] = lines[score] / lines["total"]
    return lines


def tables() -> dict[str, str]:
    """Write every table, by the name that it has in docs/layers.md."""
    lines = measured()
    made = {"summary": summary(lines), "planes": planes(lines)}
    return made | {backbone: by_cut(lines, backbone) for backbone in TITLES}


def means(lines: pd.DataFrame, backbone: str, size: int) -> pd.DataFrame:
    """Average over seeds: a row a cut, the shallowest first."""
    some = lines[(lines["backbone"] == backbone) & (lines["size"] == size)]
    scores = [*SCORES, *PLANES, "dimension"]
    return some.groupby(["index", "cut", "shape"], as_index=False)[scores].mean()


def gain(lines: pd.DataFrame, backbone: str, size: int, score: str) -> NDArray[np.float64]:
    """Say how much the best cut beats the full depth: chosen on two samples, measured on the third.

    Returns
    -------
    ndarray of shape (n_seeds,), float64
    """
    some = lines[(lines["backbone"] == backbone) & (lines["size"] == size)]
    table = some.pivot(index="seed", columns="index", values=score).to_numpy()
    found = []
    for seed in range(len(table)):
        best = np.delete(table, seed, axis=0).mean(axis=0).argmax()
        found.append(table[seed, best] - table[seed, -1])
    return np.array(found)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(value: float) -> str:
    """Write a share."""
    return f"{100 * value:.1f}"


def summary(lines: pd.DataFrame) -> str:
    """Compare the best cut with the full depth, for each network, size and score."""
    rows = []
    for backbone, title in TITLES.items():
        for size in SIZES:
            found = means(lines, backbone, size)
            for score, name in SCORES.items():
                best, end = found.loc[found[score].idxmax()], found.iloc[-1]
                gains = 100 * gain(lines, backbone, size, score)
                rows.append(
                    [
                        f"{title}, {size} px",
                        name,
                        percent(end[score]),
                        percent(best[score]),
                        f"{best['cut']} ({best['shape']})",
                        f"{gains.mean():+.1f} ({gains.min():+.1f} to {gains.max():+.1f})",
                    ]
                )
    flat = lines[lines["backbone"] == "pixels"]
    rows += [
        ["pixels, 28 px", name, percent(flat[score].mean()), "", "", ""]
        for score, name in SCORES.items()
    ]
    return markdown(
        ["", "score", "full depth", "best cut", "which", "gain on a fresh sample"], rows
    )


def planes(lines: pd.DataFrame) -> str:
    """Compare what the eye is shown: {pixels, network} x {PCA, UMAP}."""
    flat = lines[lines["backbone"] == "pixels"]
    rows = [["pixels, 28 px", *(percent(flat[plane].mean()) for plane in PLANES), "", ""]]
    for backbone, title in TITLES.items():
        for size in SIZES:
            found = means(lines, backbone, size)
            cells = [percent(found.iloc[-1][plane]) for plane in PLANES]
            for plane in PLANES:
                best = found.loc[found[plane].idxmax()]
                cells.append(f"{percent(best[plane])} ({best['cut']})")
            rows.append([f"{title}, {size} px", *cells])
    head = [f"{name}, full depth" for name in PLANES.values()]
    return markdown(["", *head, *(f"{name}, best cut" for name in PLANES.values())], rows)


def by_cut(lines: pd.DataFrame, backbone: str) -> str:
    """List both scores at every cut and size."""
    found = [means(lines, backbone, size) for size in SIZES]
    head = ["cut", *(f"{size} px: {name}" for size in SIZES for name in SCORES.values())]
    rows = []
    for place, cut in enumerate(found[0]["cut"]):
        cells = []
        for one in found:
            for score in SCORES:
                text = percent(one[score].iloc[place])
                cells.append(f"**{text}**" if one[score].idxmax() == place else text)
        rows.append([str(cut), *cells])
    return markdown(head, rows)


def draw(lines: pd.DataFrame) -> None:
    """Draw both scores against depth, with the range over the samples as a band."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure((9, 5.6), layout="constrained")
    panels = figure.subplots(len(TITLES), len(SIZES), sharey=True)
    flat = lines[lines["backbone"] == "pixels"]
    for row, (backbone, title) in enumerate(TITLES.items()):
        for column, size in enumerate(SIZES):
            panel = panels[row, column]
            some = lines[(lines["backbone"] == backbone) & (lines["size"] == size)]
            for place, (score, name) in enumerate(SCORES.items()):
                style, wide = class_style(place), some.groupby("index")[score]
                x = wide.mean().index
                panel.fill_between(x, wide.min(), wide.max(), color=style.colour, alpha=0.25, lw=0)
                dash = ("-", "--")[place]
                panel.plot(x, wide.mean(), dash, color=style.colour, marker=".", label=name)
                panel.axhline(flat[score].mean(), ls=":", lw=1, color=style.colour)
            panel.set(title=f"{title}, {size} px", ylim=(0.15, 1), xlabel="depth of the cut")
            panel.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            panel.grid(alpha=0.2)
    panels[0, 0].set_ylabel("test digits named rightly")
    panels[1, 0].set_ylabel("test digits named rightly")
    panels[0, -1].legend(loc="lower right", frameon=False)
    FIGURES.mkdir(exist_ok=True)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "layers"}):
        figure.savefig(FIGURES / "layers.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
