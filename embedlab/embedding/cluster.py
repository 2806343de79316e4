"""The cluster that Ray keeps: joined or begun, shared out among workers, who make parts.

Ray schedules the work, keeps workers alive, and gives a part to another worker when one is lost.
What a worker does with a part is what one machine does with a chunk, by the same code.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedlab.embedding import parts
from embedlab.embedding.embedder import Embedder
from embedlab.errors import EmbedlabError
from embedlab.models.onnx_body import OnnxBody
from embedlab.progress import Progress, silent

if TYPE_CHECKING:
    import ray

BESIDE_A_GPU = 4  # cores that decode pictures for it
_MOST_BLOCKS = 2000  # that Ray is given to schedule
# What Ray says of itself, and to whom, unless the person has said otherwise.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # it calls errors what Ray Data does on purpose
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True)
class Share:
    """What each worker is given of a cluster.

    Parameters
    ----------
    workers : int
        How many there are, at the most.
    cores, gpus : int
        Of each.
    """

    workers: int
    cores: int
    gpus: int


def ray_data() -> Any:
    """Import Ray and Ray Data; give Ray.

    Raises
    ------
    EmbedlabError
        If they are not installed.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise EmbedlabError(
            f"--engine ray needs Ray Data, which is not installed ({error}).",
            remedy="pip install 'embedlab[ray]'",
        ) from None
    return ray


@contextmanager
def joined_cluster() -> Iterator[None]:
    """Join the cluster that RAY_ADDRESS names, or the one that is joined; else begin one here."""
    import logging

    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = ray_data()
    if ray.is_initialized():
        yield
        return
    own = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **own)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        where = os.environ.get("RAY_ADDRESS", "this machine")
        raise EmbedlabError(
            f"No Ray cluster answers at {where}: {str(error).strip().splitlines()[0]}",
            remedy="Check RAY_ADDRESS, or unset it to work on this machine.",
        ) from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def share_of_cluster(workers: int | None, device: str) -> Share:
    """Deal the cluster that was joined out among workers.

    Parameters
    ----------
    workers, device
        As for `embedlab.embedding.spread.embed_on_ray`.

    Returns
    -------
    Share

    Raises
    ------
    EmbedlabError
        If there is no such device, or fewer than one worker was asked for.
    """
    if workers is not None and workers < 1:
        raise EmbedlabError(f"{workers} workers were asked for.", remedy="Ask for one or more.")
    if device not in {"auto", "cpu", "cuda"}:
        raise EmbedlabError(
            f"Ray has no device {device!r}.", remedy="Choose auto, cpu or cuda with --engine ray."
        )
    there = ray_data().cluster_resources()
    cores, gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
    if device == "cuda" and not gpus:
        raise EmbedlabError(
            "The cluster has no GPU.", remedy="Take --device auto, or a cluster that has one."
        )
    if gpus and device != "cpu":
        n = min(workers or gpus, gpus)
        return Share(n, max(1, min(BESIDE_A_GPU, cores // n)), 1)
    n = min(workers or cores, cores)
    return Share(n, max(1, cores // n), 0)


class Worker:
    """Makes parts, one after the other, somewhere in the cluster."""

    def __init__(
        self, plan: parts.Plan, embedder: ray.ObjectRef[Embedder], share: Share, batch_size: int
    ) -> None:
        self._plan, self._embedder = plan, ray_data().get(embedder)
        self._share, self._batch_size = share, batch_size
        body = self._embedder.body
        if isinstance(body, OnnxBody):
            body.threads = share.cores
        elif hasattr(body, "settle"):
            body.settle("cuda" if share.gpus else "cpu", n_threads=share.cores)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Make one part; say how many pictures it took, or why it could not be made."""
        k, pictures, problem, remedy = int(row["part"]), 0, "", ""
        try:
            n_rows, n_skipped = self._plan.make(
                k,
                self._embedder,
                batch_size=self._batch_size,
                n_threads=max(2, self._share.cores // 2),
            )
            pictures = n_rows + n_skipped
        except EmbedlabError as error:
            problem, remedy = error.problem, error.remedy
        except OSError as error:
            problem = f"A worker cannot make {self._plan.names[k]}: {error.strerror or error}."
            remedy = "Finished parts are kept; the same command goes on from there."
        # What is raised here reaches the person as pages of Ray's own tracebacks.
        return {"pictures": pictures, "problem": problem, "remedy": remedy}


def make_parts(
    plan: parts.Plan,
    embedder: Embedder,
    share: Share,
    *,
    batch_size: int,
    n_pictures: int,
    progress: Progress = silent,
) -> list[parts.Finished]:
    """Make all parts that are not there yet.

    Parameters
    ----------
    plan : Plan
    embedder : Embedder
        Sent to the workers.
    share : Share
    batch_size : int
    n_pictures : int
        Of all parts, for `progress`.
    progress : Progress

    Returns
    -------
    list of Finished
        What each part says of itself, in the plan's order.

    Raises
    ------
    EmbedlabError
        If a part cannot be made, a worker gave up, or a part has vanished.
    """
    ray = ray_data()
    from ray.data import ActorPoolStrategy, DataContext, from_items

    there = parts.finished(plan.output, plan.names)
    done = sum(part.n_rows + len(part.skipped) for part in there.values())
    progress("embedding pictures", done, n_pictures)
    wanted = [{"part": k} for k, name in enumerate(plan.names) if name not in there]
    if wanted:
        DataContext.get_current().enable_progress_bars = False
        working = from_items(wanted, override_num_blocks=min(len(wanted), _MOST_BLOCKS)).map(
            Worker,  # type: ignore[arg-type]  # Ray makes it once in each process, and calls it
            fn_constructor_args=(plan, ray.put(embedder), share, batch_size),
            compute=ActorPoolStrategy(min_size=1, max_size=min(share.workers, len(wanted))),
            num_cpus=share.cores,
            num_gpus=share.gpus,
        )
        try:
            for row in working.iter_rows():
                if row["problem"]:
                    raise EmbedlabError(row["problem"], remedy=row["remedy"])
                done += row["pictures"]
                progress("embedding pictures", done, n_pictures)
        except ray.exceptions.RayError as error:
            raise EmbedlabError(
                f"A worker gave up: {_reason(error)}",
                remedy="Finished parts are kept; the same command goes on from there.",
            ) from error
        there = parts.finished(plan.output, plan.names)
    if lost := [name for name in plan.names if name not in there]:
        raise EmbedlabError(
            f"{lost[0]} has vanished from {plan.output.name}, or cannot be read.",
            remedy="Run the same command again; it makes what is missing.",
        )
    return [there[name] for name in plan.names]


def _reason(error: Exception) -> str:
    """Find the line that says what went wrong in what Ray tells of it."""
    lines = [line.strip() for line in str(error).splitlines()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Killed)\b", line)]
    return next(iter(named or lines), type(error).__name__)
