"""Long work in steps, so that whoever does it can tell how far it is, or do other work in between.

It is a generator: each step gives what is done and all there is, and in the end it returns what it came to.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
U = TypeVar("U")

Steps: TypeAlias = Generator[tuple[int, int], None, T]
Progress: TypeAlias = Callable[[int, int], None]
"""Told what is done and all there is."""


class _Course(Generic[T]):
    """Some work on its way: how far it is, and what it came to once it has ended."""

    def __init__(self, steps: Steps[T], progress: Progress | None) -> None:
        self.done, self.ended = 0, False
        self.result: T
        self._steps, self._progress = steps, progress

    def step(self) -> None:
        try:
            self.done, total = next(self._steps)
        except StopIteration as end:
            self.ended, self.result = True, end.value
            return
        if self._progress is not None:
            self._progress(self.done, total)


def taken(steps: Steps[T], progress: Progress | None = None) -> T:
    """What the work comes to, all of its steps taken."""
    course = _Course(steps, progress)
    try:
        while not course.ended:
            course.step()
    finally:
        steps.close()
    return course.result


def in_turns(
    first: Steps[T], second: Steps[U], tell_first: Progress, tell_second: Progress
) -> tuple[T, U | Exception]:  # fmt: skip
    """What both come to: whichever is behind takes the next step. What other processes do for one goes on meanwhile.

    What stops the second is given back instead of raised, because the first may know why.
    """

    def tried() -> Steps[U | Exception]:
        try:
            return (yield from second)
        except Exception as error:
            return error

    attempt = tried()
    a, b = _Course(first, tell_first), _Course(attempt, tell_second)
    try:
        while not (a.ended and b.ended):
            if a.ended or (b.done < a.done and not b.ended):
                b.step()
            else:
                a.step()
    finally:
        first.close()
        attempt.close()
    return a.result, b.result
