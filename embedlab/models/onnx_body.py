"""OnnxBody: embeds pictures with a run's body.onnx, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.device import n_cores

BATCH = 8  # larger batches are slower on CPUs: their activations leave the caches
_REMEDY = "Copy the run again from where it came, or train it again."


class OnnxBody:
    """The body of a network, ready to embed pictures.

    Parameters
    ----------
    path : Path
        An ONNX file as `embedlab.models.export.export_body` writes it.
    preprocessing : Preprocessing
        What was done to the pictures that the body was trained on.
    threads : int, optional
        How many batches of 8 are computed at a time; by default one for each core.

    Raises
    ------
    EmbedlabError
        If the file is missing, damaged, or no such body.
    """

    def __init__(
        self, path: Path, preprocessing: Preprocessing, *, threads: int | None = None
    ) -> None:
        self.path = Path(path)
        self.preprocessing = preprocessing
        if not self.path.is_file():
            raise EmbedlabError(f"There is no file {self.path}.", remedy=_REMEDY)
        self.threads = n_cores() if threads is None else threads
        self._open(self.path)

    def __getstate__(self) -> dict[str, Any]:
        # It travels to other machines with its file's content.
        return {
            "path": self.path,
            "preprocessing": self.preprocessing,
            "threads": self.threads,
            "content": self.path.read_bytes(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path, self.preprocessing = state["path"], state["preprocessing"]
        self.threads = state["threads"]
        self._open(state["content"])

    def _open(self, model: Path | bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is raised below; nothing is printed
        # A thread for each batch wastes nothing. Threads that share a batch wait for each other
        # in busy loops, which takes the cores from whoever decodes the pictures.
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no narrower class
            raise self._refusal(f"cannot be opened ({_first_line(error)})") from None
        self._outputs = {output.name: output for output in self._session.get_outputs()}
        self._input = self._checked_input()

    @property
    def has_feature_map(self) -> bool:
        """Whether the file gives the map before pooling too."""
        return "feature_map" in self._outputs

    @property
    def n_dims(self) -> int:
        """Length d of an embedding."""
        return int(self._outputs["embedding"].shape[1])

    def embed(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures.

        Parameters
        ----------
        pictures : sequence of n PIL images
            Mode RGB, any size.

        Returns
        -------
        ndarray of shape (n, d), float32
        """
        vectors = self._embedded(
            np.stack([self.preprocessing.see(picture) for picture in batch])
            for batch in _batches(pictures)
        )
        return self._finite(vectors, "embedding")

    def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed pictures that are resized and cropped already.

        Parameters
        ----------
        seen : ndarray of shape (n, size, size, 3), uint8
            As `Preprocessing.see` gives them.

        Returns
        -------
        ndarray of shape (n, d), float32
            As the body gives them: should some not be finite, whoever asks for many pictures
            can still say which.
        """
        return self._embedded(_batches(seen))

    def feature_map(self, picture: Image.Image) -> NDArray[np.float32]:
        """Give the last map before pooling for one picture.

        Parameters
        ----------
        picture : PIL.Image.Image
            Mode RGB, any size.

        Returns
        -------
        ndarray of shape (c, h, w), float32

        Raises
        ------
        EmbedlabError
            If the file has no such output (`has_feature_map`).
        """
        if not self.has_feature_map:
            raise self._refusal(f"has no output 'feature_map', only {', '.join(self._outputs)}")
        maps = self._run("feature_map", self.preprocessing.see(picture)[None])
        return self._finite(maps[0], "feature_map")

    def _embedded(self, batches: Iterator[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with ThreadPoolExecutor(self.threads) as pool:
            parts = list(pool.map(partial(self._run, "embedding"), batches))
        return np.concatenate(parts) if parts else np.empty((0, self.n_dims), np.float32)

    def _run(self, output: str, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = self.preprocessing.normalise(seen)
        try:
            result = self._session.run([output], {self._input: x})[0]
        except Exception as error:  # as above
            raise self._refusal(f"fails on a picture ({_first_line(error)})") from None
        if len(result) != len(x):
            raise self._refusal(f"gives {len(result)} of {output} for {len(x)} pictures")
        return np.asarray(result, np.float32)

    def _finite(self, values: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        if not np.isfinite(values).all():
            raise self._refusal(f"gives an {output} that is not finite")
        return values

    def _checked_input(self) -> str:
        inputs = self._session.get_inputs()
        size = self.preprocessing.size
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            raise self._refusal("does not take one batch of pictures (n, 3, h, w) in float32")
        sides = [side for side in inputs[0].shape[2:] if isinstance(side, int)]
        if any(side != size for side in sides):
            raise self._refusal(f"takes pictures of {sides} px, but its run says {size} px")
        embedding = self._outputs.get("embedding")
        shape: list[Any] = embedding.shape if embedding else []
        if len(shape) != 2 or not isinstance(shape[1], int):
            names = ", ".join(f"{name} {o.shape}" for name, o in self._outputs.items())
            raise self._refusal(f"has no output 'embedding' of shape (n, d); it has {names}")
        return str(inputs[0].name)

    def _refusal(self, what: str) -> EmbedlabError:
        return EmbedlabError(f"{self.path} {what}.", remedy=_REMEDY)


def _batches(rows: Any) -> Iterator[Any]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
