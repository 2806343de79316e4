"""Twelve questions that lead through a run, from the shape of its matrix to transfer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from embedlab.lessons import answers
from embedlab.runs import Run


@dataclass(frozen=True)
class Question:
    """One question of the lesson.

    Parameters
    ----------
    title : str
        Two or three words.
    text : str
        The question. ``{class}`` stands for a class of the run.
    page : str
        The page to look at: a file below pages/, without its ending.
    choices : tuple of str
        Answers to choose from, the right one first; empty for an open question.
    answer : callable
        Makes the full answer, with this run's own numbers, in Markdown with ``{class}`` as above.
    link : mapping
        What the page's address should say; ``{class}`` as above, ``{picture}`` for the row of a
        picture of it.
    """

    title: str
    text: str
    page: str
    choices: tuple[str, ...]
    answer: Callable[[Run], str]
    link: Mapping[str, str] = field(default_factory=dict)


QUESTIONS: tuple[Question, ...] = (
    Question(
        "The shape",
        "A picture goes into the body. What comes out, and where did its pixels go?",
        "body_and_head",
        (
            "One vector: each of its numbers is a feature map averaged over the whole picture",
            "A smaller picture, which the head then looks at",
            "The same numbers in another order",
        ),
        answers.shape,
    ),
    Question(
        "The matrix",
        "The embeddings form a matrix. What are its two numbers?",
        "projections",
        (
            "Rows are pictures, columns are what was measured of each",
            "Rows are classes, columns are pictures",
            "The height and the width of the pictures",
        ),
        answers.matrix,
    ),
    Question(
        "Three pictures",
        "Choose three pictures, two of one class. Which pair has the highest dot product, and is "
        "it the pair that you find alike?",
        "similarity",
        (
            "Not always: a long vector has high dot products with everything",
            "Always: the dot product is a measure of likeness",
            "Never: dot products tell nothing about likeness",
        ),
        answers.triple,
    ),
    Question(
        "The least similar",
        "Show the nine pictures least like a picture of {class}. What have they in common?",
        "neighbours",
        (
            "They point away from it: mostly other classes, and alike among themselves",
            "They are the pictures of the worst quality",
            "They are a fair sample of all pictures",
        ),
        answers.least,
        link={"query": "{picture}"},
    ),
    Question(
        "Content or surface",
        "Compare neighbours by pixels with neighbours by embedding. Which follows the content?",
        "pixels",
        (
            "The embedding: its neighbours share the class more often",
            "The pixels: they hold all of the picture",
            "Both alike",
        ),
        answers.content,
    ),
    Question(
        "Kept and thrown away",
        "What does each representation keep of a picture, and what does it discard?",
        "pixels",
        (
            "Pixels keep colours and places; the embedding keeps what tells the classes apart",
            "Both keep everything",
            "The embedding keeps colours, pixels keep shapes",
        ),
        answers.kept,
    ),
    Question(
        "Clusters",
        "What clusters in the maps, and why?",
        "projections",
        (
            "Classes: the training pulled pictures of one class to one side of the head's planes",
            "Pictures of one size",
            "Nothing: the clusters are made by the projection",
        ),
        answers.clusters,
    ),
    Question(
        "A prototype",
        "Where in the network is the prototype of {class}?",
        "prototypes",
        (
            "It is a row of the head's weight matrix",
            "It is the picture nearest to the class's mean",
            "It is the mean of the class's embeddings",
        ),
        answers.prototype,
        link={"class": "{class}"},
    ),
    Question(
        "The least {class}",
        "Which pictures are the least {class} of all, and what makes them so?",
        "prototypes",
        (
            "Those whose embedding points away from the prototype",
            "Those that are farthest from the class's mean",
            "Those that are wrongly labelled",
        ),
        answers.least_aligned,
        link={"class": "{class}"},
    ),
    Question(
        "Prototypes and points",
        "How does a prototype lie to the points of its own class, and to those of the others?",
        "prototypes",
        (
            "It points towards its own class and away from the others: it is a direction",
            "It lies in the middle of its own class's points",
            "It lies at equal distance from all classes",
        ),
        answers.relation,
        link={"class": "{class}"},
    ),
    Question(
        "In your own words",
        "What is an embedding?",
        "neighbours",
        (),
        answers.embedding,
    ),
    Question(
        "Fifty birds",
        "You have fifty photos of birds, ten species. Why begin with a body that others trained?",
        "train",
        (
            "Its embeddings already tell shapes and textures apart; only a head must be fitted",
            "It has seen these very birds",
            "A small set needs a bigger network",
        ),
        answers.transfer,
    ),
)
