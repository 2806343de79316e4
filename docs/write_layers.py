"""Write up docs/layers.csv and docs/layers-control.csv: the tables of docs/layers.md, its curves.

    python docs/write_layers.py

docs/make_layers.py measures.
"""

from __future__ import annotations

import re
from textwrap import wrap

import numpy as np
import pandas as pd
from make_layers import CONTROL, CSV, FIGURES, HERE, PADDED, SIZES, TITLES
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
    whole = pd.read_csv(CONTROL)
    for score in (*SCORES, "knn_less_black"):
        whole[score] = whole[score] / whole["total"]
    made |= {"control": control(lines, whole), "control words": control_words(lines, whole)}
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


def framed(
    lines: pd.DataFrame, whole: pd.DataFrame, backbone: str
) -> dict[tuple[int, int], pd.DataFrame]:
    """Give a network's lines by the sides of digit and picture; equal where nothing is around."""
    plain = {(size, size): lines[lines["size"] == size] for size in SIZES}
    padded = {
        (digit, size): whole[(whole["digit"] == digit) & (whole["size"] == size)]
        for digit, size in PADDED
    }
    both = sorted({**plain, **padded}.items(), key=lambda item: item[0])
    return {sides: some[some["backbone"] == backbone] for sides, some in both}


def control(lines: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Compare digits as they are, larger, and with black around them."""
    rows = []
    for backbone, title in TITLES.items():
        for (digit, size), some in framed(lines, whole, backbone).items():
            picture = f"{size} px" if digit == size else f"{digit} px in {size} px"
            row = [f"{title}, {picture}"]
            for score in SCORES:
                gains = 100 * gain(some, backbone, size, score)
                row += [
                    percent(full_depth(some, score)),
                    f"{gains.mean():+.1f} ({gains.min():+.1f} to {gains.max():+.1f})",
                ]
            rows.append(row)
    head = [f"{name}: {what}" for name in SCORES.values() for what in ("full depth", "gain")]
    return markdown(["", *head], rows)


def full_depth(some: pd.DataFrame, score: str) -> float:
    """Average a score of the last cut over the samples."""
    return float(some[some["index"] == some["index"].max()][score].mean())


def control_words(lines: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Say how much of what enlarging gains at full depth is room, and how much cutting still does.

    By room is meant what 28 px digits gain in the middle of a 224 px black picture; by scale what
    is gained from there to digits of 224 px.
    """
    parts, still, more = [], [], []
    for backbone, title in TITLES.items():
        found = framed(lines, whole, backbone)
        said = []
        for score, name in SCORES.items():
            end = {sides: full_depth(some, score) for sides, some in found.items()}
            small, room, large = end[28, 28], end[28, 224], end[224, 224]
            share = (room - small) / (large - small)
            said.append(
                f"by {name} from {percent(small)} % to {percent(room)} % with room and to "
                f"{percent(large)} % with scale, so that {100 * share:.0f} % of the way is room"
            )
            more.append(100 * (end[96, 224] - end[96, 96]))
            for sides in ((28, 96), (28, 224)):
                still.append(100 * gain(found[sides], backbone, sides[1], score).mean())
        parts.append(f"{title} comes {'; '.join(said)}.")
    ends = whole[whole["index"] == whole.groupby("backbone")["index"].transform("max")]
    by = ends.groupby(["backbone", "digit", "size"])[["knn", "knn_less_black"]].mean()
    moved = 100 * (by["knn_less_black"] - by["knn"]).abs().max()
    text = (
        f"At full depth {' '.join(parts)} With room alone, a cut in the middle still beats the "
        f"full depth by {min(still):.0f} to {max(still):.0f} points. Around digits of 96 px more "
        f"room changes the full depth by {min(more):+.1f} to {max(more):+.1f} points. What all "
        "vectors have of the black decides little: taking the vector of an all black picture off "
        f"them first moves neighbours at full depth by {moved:.1f} points at most."
    )
    return "\n".join(wrap(text, 108))


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
