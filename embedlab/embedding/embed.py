"""Pictures in, a matrix out: what `embedlab embed` does, as one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.asked import check_batch_size, check_limit, check_seed, check_side
from embedlab.data.dataset import Skipped
from embedlab.data.notes import named
from embedlab.data.sampling import sample
from embedlab.data.sources import SOURCES
from embedlab.embedding.embedder import Embedder, Layer, make_embedder
from embedlab.embedding.formats import choose_format, write_csv
from embedlab.embedding.ledger import Ledger, ledger_beside
from embedlab.embedding.matrix import Matrix, check_dimensions, reduce
from embedlab.embedding.outputs import SKIPPED, UMAP, Outputs
from embedlab.embedding.pipeline import embed_stream
from embedlab.embedding.spool import Spool
from embedlab.embedding.stream import STANDARD_INPUT, Stream, check_source, open_stream
from embedlab.embedding.thumbnails import thumbnails
from embedlab.errors import EmbedlabError
from embedlab.facts import versions
from embedlab.models.backbones import BACKBONES
from embedlab.progress import Progress, silent

# UMAP holds its rows in memory; of more, a sample is laid out.
UMAP_ROWS = 100_000
NAMED = 20


@dataclass(frozen=True)
class Embedded:
    """What was made.

    Parameters
    ----------
    name, model : str
        What people call the pictures and the model.
    input_shape : tuple of int
        (n, size, size, 3): the pictures as the model saw them.
    shape : tuple of int
        Of the matrix.
    umap_shape : tuple of int, optional
        Of the UMAP layout, where one was made.
    layer : Layer, optional
        Where the network was cut, if it was.
    files : tuple of Path or str
        What was written, the matrix first; URIs where that is not on this machine.
    n_skipped : int
        How many files were left out.
    skipped : tuple of Skipped
        The first of them.
    notes : tuple of str
        Sentences for people.
    """

    name: str
    model: str
    input_shape: tuple[int, ...]
    shape: tuple[int, ...]
    umap_shape: tuple[int, ...] | None
    layer: Layer | None
    files: tuple[Path | str, ...]
    n_skipped: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def embed(
    source: str,
    output: Path,
    *,
    model: str = "efficientnet_b0",
    dimensions: int | None = None,
    layer: str | None = None,
    size: int | None = None,
    format_name: str | None = None,
    compress: bool = False,
    umap: bool = False,
    plot: bool = False,
    seed: int = 123,
    batch_size: int = 16,
    device: str = "auto",
    weights: str | Path | None = None,
    root: Path | None = None,
    limit: int | None = None,
    lines: IO[bytes] | None = None,
    progress: Progress = silent,
    announce: Callable[[str], None] = lambda _: None,
) -> Embedded:
    """Embed pictures and write the matrix, with ids, paths and labels.

    Memory does not grow with the number of pictures in a folder or a list, UMAP and plots apart;
    the names in an archive need about 1 kB each while it is unpacked. When it is stopped, the
    same call goes on from where it was; finished chunks lie in a hidden folder beside the output
    until the matrix is whole.

    Parameters
    ----------
    source : str
        As for `embedlab.embedding.stream.open_stream`.
    output : Path
        The matrix. One that an earlier call wrote is replaced in one step, together with the files
        beside it; what embed did not write is never replaced.
    model, layer, size, weights, device
        As for `embedlab.embedding.embedder.make_embedder`.
    dimensions : int, optional
        Reduce the vectors to so many by PCA.
    format_name : str, optional
        A key of `FORMATS`; by default what the output's name ends in.
    compress : bool
    umap : bool
        Write a UMAP layout in two dimensions too.
    plot : bool
        Draw the layout, or the matrix itself if it has two columns, as PNG, SVG and HTML.
    seed : int
        Of random weights, UMAP and samples. 0 is a seed like any other.
    batch_size : int
    root, limit, lines, progress
        As for `open_stream`.
    announce : callable
        Told what a person should know before the work is done.

    Returns
    -------
    Embedded

    Raises
    ------
    EmbedlabError
        If the pictures, the model or the output will not do.
    """
    form, target = choose_format(output, format_name, compress=compress)
    check_batch_size(batch_size)
    check_side(size)
    check_limit(limit)
    check_seed(seed)
    check_source(source)
    outputs = Outputs(target, form, umap=(umap or plot) and dimensions != 2, plot=plot)
    place = Path(source).expanduser()
    named_set = source == STANDARD_INPUT or source in SOURCES or not place.exists()
    warnings = outputs.check(None if named_set else place)
    with ledger_beside(target) as ledger:
        # A million pictures are not listed for a model or layer that there is not.
        embedder = make_embedder(
            model,
            layer=layer,
            size=size,
            weights=weights,
            seed=seed,
            device=device,
            progress=progress,
        )
        if dimensions is not None:
            check_dimensions(dimensions, embedder.n_dims())
        spool = ledger.folder / "pictures.sqlite"
        stream = open_stream(
            source, spool, lines=lines, root=root, limit=limit, seed=seed, progress=progress
        )
        try:
            said: list[str] = []

            def say(note: str) -> None:
                said.append(note)
                announce(note)

            for fact in (*warnings, *stream.notes, *([embedder.layer] if embedder.layer else [])):
                say(str(fact))
            _keep_pictures(stream, outputs)
            keys = embed_stream(stream, embedder, ledger, batch_size=batch_size, progress=progress)
            outputs = outputs.begin(ledger.folder)
            work = _Work(stream, embedder, ledger, keys, outputs, seed, progress, say, said)
            return work.finish(dimensions, compress=compress, umap=umap, plot=plot)
        finally:
            stream.close()


def _keep_pictures(stream: Stream, outputs: Outputs) -> None:
    """Refuse outputs that are among the pictures, such as the drawing of an earlier call."""
    for path in outputs.targets():
        if isinstance(stream, Spool) and path.exists() and stream.holds(path):
            raise EmbedlabError(
                f"{path} is one of the pictures, and would be replaced.",
                remedy="Choose another name for the output, or leave it out of the pictures.",
            )


@dataclass(frozen=True, eq=False)
class _Work:
    """Embedded pictures on their way to files."""

    stream: Stream
    embedder: Embedder
    ledger: Ledger
    keys: list[str]
    outputs: Outputs
    seed: int
    progress: Progress
    say: Callable[[str], None]
    said: list[str]

    def finish(self, dimensions: int | None, *, compress: bool, umap: bool, plot: bool) -> Embedded:
        matrix = Matrix.of(self.ledger, self.keys, classes=self.stream.classes)
        wanted = dimensions
        if wanted is None and self.embedder.dimensions is not None:
            wanted = min(self.embedder.dimensions, matrix.n, matrix.d)
        if wanted is not None:
            reduced = reduce(matrix, wanted, progress=self.progress)
            for note in reduced.notes:
                self.say(note)
            matrix = reduced.matrix
        write, suffix = self.outputs.form.write, self.outputs.form.suffix
        made = write(self._staged(self.outputs.target.name), matrix, compress, self._thumbnails)
        layout, how = None, ""
        if matrix.d == 2 and umap:
            self.say("The matrix has two columns as it is, so no UMAP layout was made.")
        elif matrix.d != 2 and (umap or plot):
            layout, how = self._laid_out(matrix, centred=wanted is not None)
            place = self._beside(f"{UMAP}{suffix}")
            made += write(place, layout, compress, self._thumbnails)
        if plot:
            from embedlab.embedding.plots import draw

            axis = "dimension" if wanted is None else "component"
            self.progress("drawing", 0, 1)
            made += draw(
                layout or matrix,
                self._thumbnails,
                self._beside,
                title=", ".join(filter(None, (self.stream.name, self.embedder.name, how))),
                axes=() if layout else (f"{axis} 1", f"{axis} 2"),
                seed=self.seed,
                say=self.say,
            )
            self.progress("drawing", 1, 1)
        n_skipped, first, listed = self._left_out()
        files, notes = self.outputs.place([*made, *listed], self._about(matrix, n_skipped))
        for note in notes:
            self.say(note)
        side = self.embedder.preprocessing.size
        return Embedded(
            name=self.stream.name,
            model=self.embedder.name,
            input_shape=(matrix.n, side, side, 3),
            shape=matrix.shape,
            umap_shape=layout.shape if layout else None,
            layer=self.embedder.layer,
            files=tuple(files),
            n_skipped=n_skipped,
            skipped=first,
            notes=tuple(self.said),
        )

    def _thumbnails(self, numbers: NDArray[np.int64]) -> Iterator[bytes]:
        return thumbnails(self.stream, numbers)

    def _staged(self, name: str) -> Path:
        return self.outputs.staged(name)

    def _beside(self, ending: str) -> Path:
        return self._staged(self.outputs.name(ending))

    def _about(self, matrix: Matrix, n_skipped: int) -> dict[str, Any]:
        """Say what lies in the matrix, in JSON values."""
        layer = self.embedder.layer
        return {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "input": self.stream.name,
            "model": self.embedder.name,
            "layer": layer.name if layer else None,
            "preprocessing": self.embedder.preprocessing.to_dict(),
            "shape": list(matrix.shape),
            "classes": list(matrix.classes),
            "left_out": n_skipped,
            "versions": versions(),
        }

    def _laid_out(self, matrix: Matrix, *, centred: bool) -> tuple[Matrix, str]:
        """Lay the rows out in the plane; say by what, which for very few is not UMAP."""
        from embedlab.space.nonlinear import FEWEST
        from embedlab.space.projections import umap

        if matrix.n > UMAP_ROWS:
            kept = np.zeros(matrix.n, bool)
            kept[sample(matrix.n, limit=UMAP_ROWS, seed=self.seed)] = True
            self.say(
                f"UMAP lays out {UMAP_ROWS:,} of {matrix.n:,} pictures, drawn with seed "
                f"{self.seed}; its own ids say which."
            )
            matrix = matrix.take(kept)
        block = matrix.gathered()
        # Principal components are counted from the mean, where angles mean nothing.
        plain = BACKBONES.get(self.embedder.name)
        metric = "euclidean" if centred or (plain and plain.kind == "plain") else "cosine"
        view = umap(block.vectors, metric=metric, seed=self.seed, progress=self.progress)
        placed = np.asarray(np.isfinite(view.coordinates).all(axis=1), bool)
        if view.note:
            self.say(view.note)
        if not placed.all():
            names = named(block.ids[~placed].tolist())
            self.say(f"UMAP cannot place vectors of zeros, so these are not in it: {names}.")
        drawn = replace(block, vectors=view.coordinates).take(placed)
        numbers = matrix.numbers[placed]
        layout = Matrix(len(numbers), 2, matrix.classes, numbers, lambda: iter([drawn]))
        return layout, "UMAP" if len(numbers) >= FEWEST else "PCA"

    def _left_out(self) -> tuple[int, tuple[Skipped, ...], list[Path]]:
        """Write down which files were left out, and why; give their number and the first."""
        listed = self._beside(SKIPPED)

        def each() -> Iterator[Skipped]:
            yield from self.stream.skipped()
            for part in self.ledger.parts(self.keys):
                yield from part.skipped

        first = tuple(islice(each(), NAMED))
        if not first:
            return 0, (), []
        rows = ((skipped.id, skipped.reason) for skipped in each())
        return write_csv(listed, ("id", "reason"), rows), first, [listed]
