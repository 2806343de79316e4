"""Lab: what the steps from a network to a run have in common."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.facts import dataset_info, items_table, versions
from embedlab.files import PARTIAL, is_left_behind, remove_left_behind, write_json
from embedlab.home import home
from embedlab.models.backbones import backbone as look_up
from embedlab.models.device import describe_device, n_cores
from embedlab.models.extraction import Body, Extraction, embedding_cache, extract
from embedlab.models.film import film_arrays
from embedlab.models.plain import histograms, plain_files, plain_vectors
from embedlab.models.training import Line, Trained
from embedlab.progress import Progress
from embedlab.runs import EMBEDDING, Head, Run, new_run_folder, save_run

if TYPE_CHECKING:
    import torch

    from embedlab.models.network import Network

_SAVED = "saved.json"  # which run the work is about to become


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self._found: dict[str, float] = {}
        self._started = time.monotonic()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a stage."""
        started = time.monotonic()
        yield
        self._found[stage] = round(time.monotonic() - started, 2)

    def seconds(self) -> dict[str, float]:
        """Give the stages so far and, as "all", the time since the clock was made."""
        return {**self._found, "all": round(time.monotonic() - self._started, 2)}


@contextmanager
def workspace(dataset: Dataset, facts: Mapping[str, Any], work: Path | None) -> Iterator[Path]:
    """Give a folder that the same work finds again until it is finished.

    Parameters
    ----------
    dataset : Dataset
    facts : mapping
        All else that decides the work, in JSON values.
    work : Path, optional
        Where the folder is made; below ``home("cache", "training")`` by default.

    Raises
    ------
    EmbedlabError
        If the same work is under way in another process.
    """
    from filelock import FileLock, Timeout

    text = json.dumps([dataset.fingerprint, facts], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    place = (work or home("cache", "training")) / key
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise EmbedlabError(
            f"{dataset.name} is being worked on with these very settings in another process.",
            remedy="Wait for it to end; 'embedlab jobs' shows what runs.",
        ) from None
    try:
        yield place
        shutil.rmtree(place, ignore_errors=True)
    finally:
        with suppress(OSError):  # nothing was begun, or nothing is left
            place.rmdir()
        with suppress(OSError):  # Windows keeps a file that is open
            place.with_suffix(".lock").unlink()
        lock.release()


@dataclass(frozen=True, eq=False)
class Lab:
    """A dataset, a network, and what became of them so far.

    Parameters
    ----------
    dataset : Dataset
    network : Network or None
        None for plain vectors.
    preprocessing : Preprocessing
    device : torch.device or None
    place : Path
        A folder for whatever is made on the way.
    progress : Progress
    clock : Clock
    backbone : str
        Where there is no network.
    files : dict of str to Path
        What will be moved into the run.
    notes : list of str
        Sentences for people about what did not work.
    """

    dataset: Dataset
    network: Network | None
    preprocessing: Preprocessing
    device: torch.device | None
    place: Path
    progress: Progress
    clock: Clock
    backbone: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def embed(self, batch_size: int, *, changed: bool) -> Extraction:
        """Send all pictures through the body; what an unchanged body gives is kept for others."""
        from embedlab.models.export import export_body, save_body
        from embedlab.models.torch_body import TorchBody, body_digest

        assert self.network is not None and self.device is not None
        work = (
            self.place / "parts"
            if changed
            else embedding_cache(self.dataset, body_digest(self.network), self.preprocessing)
        )
        onnx, target = work.with_suffix(".onnx"), self.place / "body.onnx"
        body: Body | None = None
        with self.clock("export"):
            try:
                if not onnx.exists():
                    export_body(self.network, onnx, size=self.preprocessing.size)
                shutil.copyfile(onnx, target)
                self.files["body.onnx"] = target
                if self.device.type == "cpu":
                    from embedlab.models.onnx_body import BATCH, OnnxBody

                    body = OnnxBody(target, self.preprocessing)
                    batch_size = max(batch_size, BATCH * n_cores())
            except EmbedlabError as error:
                self.notes.append(f"No body.onnx: {error}")
            save_body(self.network, self.place / "body.safetensors")
            self.files["body.safetensors"] = self.place / "body.safetensors"
        if body is None:
            body = TorchBody(self.network, self.preprocessing, self.device)
        with self.clock("embed"):
            found = extract(
                self.dataset,
                body,
                self.preprocessing,
                batch_size=batch_size,
                work=work,
                progress=self.progress,
            )
        if isinstance(body, TorchBody):
            self.notes.extend(body.notes)
        self.network.to("cpu")
        return found

    def embed_plainly(self) -> Extraction:
        """Take plain vectors for embeddings; the extraction finds thumbnails and broken files."""

        class Histograms:
            embed_seen = staticmethod(histograms)

        with self.clock("embed"):
            found = extract(self.dataset, Histograms(), self.preprocessing, progress=self.progress)
            made = plain_vectors(
                self.dataset.take(found.rows), self.preprocessing, progress=self.progress
            )
        return replace(found, embeddings=np.asarray(made[self.backbone].vectors))

    def keep_film(self, trained: Trained, found: Extraction) -> None:
        """Write the film of a training, its pictures numbered as the run numbers them."""
        if not trained.film:
            return
        item = {int(row): i for i, row in enumerate(found.rows)}
        arrays = film_arrays(trained.rows_probe, trained.film)
        there = np.array([row in item for row in trained.rows_probe.tolist()], bool)
        arrays["rows"] = np.array([item[row] for row in trained.rows_probe[there].tolist()])
        for name in ("embeddings", "probabilities"):
            arrays[name] = arrays[name][:, there]
        self.files["film.npz"] = self.place / "film.npz"
        np.savez_compressed(self.files["film.npz"], **arrays)  # type: ignore[arg-type]

    def save(
        self,
        folder: Path | None,
        info: Mapping[str, Any],
        found: Extraction,
        *,
        parts: NDArray[np.str_],
        probabilities: NDArray[np.float32] | None = None,
        head: Head | None = None,
        history: list[Line] | None = None,
    ) -> Run:
        """Compare with plain vectors, put everything together, write the run."""
        from filelock import FileLock

        network = self.network
        chosen = look_up(network.name if network else self.backbone)
        with self.clock("compare"):
            made = plain_vectors(
                self.dataset.take(found.rows), self.preprocessing, progress=self.progress
            )
            made.pop(self.backbone, None)
            self.files.update(plain_files(made, self.place))
        device = describe_device(self.device) if self.device else "CPU"
        whole = {
            **info,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "dataset": dataset_info(self.dataset, found.failed),
            "backbone": {"name": chosen.name, "title": chosen.title},
            "weights": network.provenance if network else {},
            "cut": network.cut if network else EMBEDDING,
            "preprocessing": self.preprocessing.to_dict(),
            "architecture": network.architecture(self.preprocessing.size) if network else [],
            "dropout": network.dropout.p if network else 0.0,
            "device": device.partition(":")[0],
            "notes": self.notes,
            "versions": versions(),
            "seconds": self.clock.seconds(),
        }
        items = items_table(self.dataset, found.rows, parts, probabilities)
        self.progress("saving the run", 0, 1)
        # A free name stays free until the run has it.
        with FileLock(home("cache") / "saving.lock"):
            for path in home("runs").glob(f"{PARTIAL}*"):
                if is_left_behind(path):
                    remove_left_behind(path)
            target = folder or new_run_folder(str(info["title"]))
            note = {"folder": str(target.absolute()), "created": whole["created"]}
            write_json(self.place / _SAVED, note)
            run = save_run(
                target,
                info=whole,
                items=items,
                embeddings=found.embeddings,
                thumbnails=found.thumbnails,
                inputs=found.inputs,
                head=head,
                history=history or [],
                files=self.files,
            )
        self.progress("saving the run", 1, 1)
        return run


def saved_run(place: Path, folder: Path | None, title: str) -> Run | None:
    """Give the run that the same work had just saved when it was killed; None where there is none.

    Parameters
    ----------
    place : Path
        As `workspace` gives it.
    folder : Path, optional
        Where the run has to be.
    title : str
        What it has to be called.
    """
    try:
        note = json.loads((place / _SAVED).read_text(encoding="utf-8"))
        run = Run(Path(note["folder"]))
    except (OSError, ValueError, EmbedlabError):  # killed before one of them was there
        return None
    asked = folder is None or folder.absolute() == run.folder
    known = {"created": run.info.get("created"), "title": run.info.get("title")}
    return run if asked and known == {"created": note["created"], "title": title} else None
