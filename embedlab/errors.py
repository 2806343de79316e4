"""The errors that embedlab raises for people: what is wrong, and what to do."""

from __future__ import annotations


class EmbedlabError(Exception):
    """Something that a person can put right.

    Parameters
    ----------
    problem : str
        One sentence that names the culprit: the file, the option, the value.
    remedy : str
        What to do next, as one sentence or two.

    Examples
    --------
    >>> error = EmbedlabError("No run is called 'rose'.", remedy="List them: embedlab runs.")
    >>> print(error)
    No run is called 'rose'. List them: embedlab runs.
    >>> error.remedy
    'List them: embedlab runs.'
    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy
