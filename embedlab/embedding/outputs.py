"""Outputs: all that a call writes, made beside and put in place together; nobody else's files."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embedlab.data.archives import file_digest
from embedlab.data.notes import named
from embedlab.embedding.formats import SIDECAR, Format
from embedlab.errors import EmbedlabError
from embedlab.files import put_in_place, same_file, write_json

MANIFEST = ".embedlab.json"
SKIPPED, UMAP = "_skipped.csv", "_umap"
PLOTS = (".png", ".svg", ".html")
_LONGEST_NAME = 255  # bytes, on the usual file systems

Fact = dict[str, Any]


@dataclass(frozen=True)
class Outputs:
    """Where a matrix and what goes with it are written.

    `OUTPUT.embedlab.json` says which files those are, with size, time and SHA-256. By it the next
    call knows its own files, which it may replace or remove, from all others, which it leaves
    alone.

    Parameters
    ----------
    target : Path
        The matrix.
    form : Format
    umap, plot : bool
        Whether a UMAP layout may be written, and drawings.
    staging : Path
        A folder on the same disk, in which files are made.
    """

    target: Path
    form: Format
    umap: bool
    plot: bool
    staging: Path = Path()

    @property
    def manifest(self) -> Path:
        """The file that says what was written."""
        return self.target.with_name(self.target.name + MANIFEST)

    def name(self, ending: str) -> str:
        """Name another output after the matrix: photos.npy and "_umap.npy" give photos_umap.npy."""
        return (self.target.stem if self.form.suffix else self.target.name) + ending

    def staged(self, name: str) -> Path:
        """Say where an output is made before it is put in its place."""
        return self.staging / name

    def targets(self) -> list[Path]:
        """List every file that may be written, the matrix first and the manifest last."""
        matrices = [self.target.name, *([self._layout()] if self.umap else [])]
        names = [*matrices, *(f"{name}{self.form.sidecar}" for name in matrices)]
        names += [*(self.name(ending) for ending in PLOTS if self.plot), self.name(SKIPPED)]
        found = [self.target.with_name(name) for name in dict.fromkeys(names)]
        return [*found, self.manifest]

    def check(self, source: Path | None) -> list[str]:
        """Refuse, before any work, outputs that would cost somebody their files.

        Parameters
        ----------
        source : Path, optional
            The folder or file that the pictures come from, if it is one.

        Returns
        -------
        list of str
            Notes for people.

        Raises
        ------
        EmbedlabError
            If an output is the input, or is there and was not written by embed; or if pictures
            would be written among those that are embedded.
        """
        written = _written(self.target.parent)
        for path in self.targets():
            if len(os.fsencode(path.name)) > _LONGEST_NAME:
                raise EmbedlabError(
                    f"The name {path.name[:60]}... is too long.", remedy="Choose a shorter one."
                )
            if not os.path.lexists(path):
                continue
            if source is not None and same_file(path, source):
                raise EmbedlabError(
                    f"{path} is the input, and would be replaced.",
                    remedy="Choose another name for the output.",
                )
            if path.is_dir():
                raise EmbedlabError(
                    f"There is something at {path} already: a folder.",
                    remedy="Remove it, or choose another name for the output.",
                )
            if path == self.manifest:
                own = _read(path) is not None
            else:
                own = _is_one_of(path, written.get(path.name, []))
            if not own:
                what = "was changed since embed wrote it"
                if path.name not in written:
                    what = "is there already, and embed did not write it"
                raise EmbedlabError(
                    f"{path} {what}; it would be replaced.",
                    remedy="Move it away, or choose another name for the output.",
                )
        if source is None or not source.is_dir() or not _inside(self.target, source):
            return []
        if self.plot or not self.form.suffix:
            raise EmbedlabError(
                f"{self.target} lies in {source}, so new pictures would come to lie among those "
                "that are embedded.",
                remedy="Choose a place outside of that folder"
                + (", or leave --plot out." if self.form.suffix else "."),
            )
        return [f"{self.target} is written among the pictures, into {source}."]

    def begin(self, folder: Path) -> Outputs:
        """Make a folder for the files to be made in, within another; what it held is dropped."""
        staging = folder / "made"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        return replace(self, staging=staging)

    def place(self, made: Sequence[Path], about: Mapping[str, Any]) -> tuple[list[Path], list[str]]:
        """Put what was made in its place, and remove what an earlier call left beside it.

        While files change places, the manifest says that the work is not done, so that after a
        power cut nobody takes an old table for that of a new matrix.

        Parameters
        ----------
        made : sequence of Path
            Below the staging folder, the matrix first.
        about : mapping
            What else the manifest is to say, in JSON values.

        Returns
        -------
        files : list of Path
        notes : list of str
        """
        folder = self.target.parent
        facts = {path.name: _fact(path) for path in made}
        others = _written(folder, but=self.manifest)
        taken = [name for name in facts if _is_one_of(folder / name, others.get(name, []))]
        before = _claims(_read(self.manifest))
        old = {name: fact for name, fact in before if _fits(folder / name, fact)}
        stale = self._stale(old, facts)
        kept = {name: fact for name, fact in old.items() if name not in (*facts, *stale)}
        about = {"embedlab": 1, **about}
        write_json(self.manifest, {**about, "done": False, "files": facts, "before": old})
        for path in made:
            put_in_place(path, folder / path.name)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        write_json(self.manifest, {**about, "done": True, "files": {**facts, **kept}})
        notes = []
        if stale:
            notes.append(f"Of an earlier call, and removed: {named(stale)}.")
        if taken:
            notes.append(f"These were of another matrix, and are now of this one: {named(taken)}.")
        for matrix, names in self._of_namesakes():
            notes.append(f"Of {matrix}, not of {self.target.name}: {named(names)}.")
        return [*(folder / path.name for path in made), self.manifest], notes

    def _of_namesakes(self) -> Iterator[tuple[str, list[str]]]:
        """Name what lies beside photos.npz and is of photos.npy: its drawings and layout."""
        for manifest in sorted(self.target.parent.glob(f"*{MANIFEST}")):
            matrix = manifest.name.removesuffix(MANIFEST)
            if manifest == self.manifest or Path(matrix).stem != self.target.stem:
                continue
            names = [
                name
                for name, fact in (_read(manifest) or {}).get("files", {}).items()
                if name not in {matrix, matrix + SIDECAR}
                and _fits(self.target.with_name(name), fact)
            ]
            if names:
                yield matrix, names

    def _layout(self) -> str:
        return self.name(f"{UMAP}{self.form.suffix}")

    def _stale(self, old: Mapping[str, Fact], new: Mapping[str, Fact]) -> list[str]:
        """Name what an earlier call wrote and this one did not, and what no longer fits."""
        matrix = [self.target.name, *({self.target.name + self.form.sidecar} & {*old, *new})]

        def equal(name: str) -> bool:
            return name in old and name in new and old[name].get("sha256") == new[name]["sha256"]

        # Beside the same matrix, an earlier layout and its drawing are as true as before.
        if not all(equal(name) for name in matrix):
            return [name for name in old if name not in new]
        stale = {self.name(SKIPPED)}
        if self._layout() in new and not equal(self._layout()):  # laid out with another seed
            stale |= {self.name(ending) for ending in PLOTS}
        return [name for name in old if name not in new and name in stale]


def _written(folder: Path, *, but: Path | None = None) -> dict[str, list[Fact]]:
    """Read what calls of embed wrote into a folder, by name."""
    found: dict[str, list[Fact]] = {}
    for manifest in sorted(folder.glob(f"*{MANIFEST}")):
        for name, fact in _claims(_read(manifest)) if manifest != but else ():
            found.setdefault(name, []).append(fact)
    return found


def _claims(said: Mapping[str, Any] | None) -> Iterator[tuple[str, Fact]]:
    """Give what a manifest says to be embed's own; of a call that was stopped, the old and new."""
    for key in ("files", "before"):
        yield from (said or {}).get(key, {}).items()


def check_whole(matrix: Path) -> None:
    """Refuse a matrix that a call of embed was about to replace when it was stopped."""
    said = _read(matrix.with_name(matrix.name + MANIFEST))
    if said is not None and not said.get("done"):
        raise EmbedlabError(
            f"{matrix.name} and the files beside it may be of different calls: embed was stopped "
            "while it put them in place.",
            remedy="Run the same embed command again; it goes on from there.",
        )


def _read(path: Path) -> dict[str, Any] | None:
    """Read a manifest; None where there is none, or something else."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict) or "embedlab" not in said or "files" not in said:
        return None
    tables = (said["files"], said.get("before", {}))
    return said if all(isinstance(table, dict) for table in tables) else None


def _fact(path: Path) -> Fact:
    if path.is_dir():  # of the projector; one that is there is never replaced
        return {"folder": True}
    about = path.stat()
    return {"bytes": about.st_size, "time": about.st_mtime_ns, "sha256": file_digest(path)}


def _fits(path: Path, fact: Fact) -> bool:
    """Say whether a file is what a manifest says."""
    try:
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode) or about.st_size != fact["bytes"]:
            return False
        return bool(about.st_mtime_ns == fact["time"] or file_digest(path) == fact["sha256"])
    except (OSError, KeyError, TypeError):
        return False


def _is_one_of(path: Path, facts: Sequence[Fact]) -> bool:
    return any(_fits(path, fact) for fact in facts)


def _inside(path: Path, folder: Path) -> bool:
    return path.parent.resolve().is_relative_to(folder.resolve())
