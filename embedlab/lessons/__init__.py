"""The twelve questions of the lesson, with choices to check oneself and answers from the run."""

from embedlab.lessons.questions import QUESTIONS, Question

__all__ = ["QUESTIONS", "Question"]
