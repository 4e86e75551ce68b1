"""LFW's text files: lists of people (`people*.txt`) and of pairs to compare (`pairs*.txt`).

View 2, for reported results: `people.txt` divides the 5,749 people into ten disjoint sets, and `pairs.txt`
contains 600 pairs within each. View 1, for development: `peopleDevTrain.txt` and `peopleDevTest.txt` are two
disjoint sets, with pairs in `pairsDevTrain.txt` and `pairsDevTest.txt`. Views 1 and 2 share people.

Source: Huang et al., Labeled Faces in the Wild, 2007, and its README.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from trsfnet.errors import DataError, excerpt


@dataclass(frozen=True)
class Person:
    """A line of `people.txt`: a person and the number of their images, which are numbered from 1."""

    name: str
    images: int


@dataclass(frozen=True)
class NamedPair:
    """A line of `pairs.txt`: two images by person and number, the fold (from 0) and the line (from 1)."""

    left: tuple[str, int]
    right: tuple[str, int]
    fold: int
    line: int

    @property
    def same(self) -> bool:
        """True if both images show the same person."""
        return self.left[0] == self.right[0]


def read_people(path: Path | None = None) -> list[list[Person]]:
    """Read the sets of people: the ten sets of View 2, or the only set in a file of View 1.

    Args:
        path: LFW's `people.txt`, `peopleDevTrain.txt` or `peopleDevTest.txt`; by default the package's copy
            of `people.txt`.

    Raises:
        DataError: if a line is malformed or repeats a person; the message states file and line.
    """
    source = Path(str(resources.files("trsfnet.data"))) / "lfw_people.txt" if path is None else path
    lines = _Lines(source)
    (count,) = lines.integers(1)
    # View 2 begins with the number of sets, and each set with its size; View 1 begins with the size of its
    # only set.
    many_sets = lines.fields_ahead() == 1
    sets: list[list[Person]] = []
    seen: set[str] = set()
    for _ in range(count if many_sets else 1):
        people = []
        for _ in range(lines.integers(1)[0] if many_sets else count):
            name, images = lines.fields(2)
            if not re.fullmatch(r"[^./\\][^/\\]*", name):
                raise DataError(
                    f"{source}, line {lines.number}: {excerpt(name)} cannot be the name of a folder."
                )
            if name in seen:
                raise DataError(f"{source}, line {lines.number}: {excerpt(name)} is listed a second time.")
            seen.add(name)
            people.append(Person(name, lines.integer(images)))
        sets.append(people)
    lines.end()
    return sets


def read_pairs(path: Path) -> list[NamedPair]:
    """Read the pairs by fold, first the same-person pairs and then as many different-person pairs.

    Args:
        path: LFW's `pairs.txt` (ten folds with 300 of each kind), `pairsDevTrain.txt` (one fold with 1,100 of
            each) or `pairsDevTest.txt` (one fold with 500 of each).

    Raises:
        DataError: if a line is malformed; the message states file and line.
    """
    lines = _Lines(path)
    # The header of View 1 is a single number: it has no folds.
    folds, per_fold = lines.integers(2) if lines.fields_ahead() != 1 else (1, *lines.integers(1))
    pairs = []
    for fold in range(folds):
        for _ in range(per_fold):
            name, a, b = lines.fields(3)
            pairs.append(NamedPair((name, lines.integer(a)), (name, lines.integer(b)), fold, lines.number))
        for _ in range(per_fold):
            left, a, right, b = lines.fields(4)
            if left == right:
                raise DataError(
                    f"{path}, line {lines.number}: a pair of two people names {excerpt(left)} twice."
                )
            pairs.append(NamedPair((left, lines.integer(a)), (right, lines.integer(b)), fold, lines.number))
    lines.end()
    return pairs


class _Lines:
    """The tab-separated lines of one of LFW's text files; errors state the line."""

    def __init__(self, path: Path) -> None:
        try:
            self._lines = path.read_text(encoding="utf-8-sig").split("\n")
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not a text file: {error.reason} at byte {error.start}.") from error
        while self._lines and not self._lines[-1].strip():
            self._lines.pop()
        self.path = path
        self.number = 0

    def fields_ahead(self) -> int:
        """Return the number of fields in the next line; 0 at the end."""
        return len(self._lines[self.number].split("\t")) if self.number < len(self._lines) else 0

    def fields(self, count: int) -> list[str]:
        """Return the fields of the next line, of which there must be `count`."""
        self.number += 1
        if self.number > len(self._lines):
            raise DataError(f"{self.path} ends at line {len(self._lines)}: expected more lines.")
        fields = self._lines[self.number - 1].rstrip("\r").split("\t")
        if len(fields) != count:
            raise DataError(
                f"{self.path}, line {self.number}: expected {count} tab-separated fields, got {len(fields)}."
            )
        return fields

    def integer(self, text: str) -> int:
        """Parse `text` as a number from 1 to 9999, as in the names of LFW's images."""
        if not re.fullmatch("[0-9]{1,4}", text) or int(text) == 0:
            raise DataError(
                f"{self.path}, line {self.number}: expected a number from 1 to 9999, got {excerpt(text)}."
            )
        return int(text)

    def integers(self, count: int) -> list[int]:
        """Parse the next line as `count` numbers."""
        return [self.integer(text) for text in self.fields(count)]

    def end(self) -> None:
        """Check that nothing but blank lines follows."""
        if self.number < len(self._lines):
            raise DataError(
                f"{self.path}, line {self.number + 1}: expected the end of the file, as its header announces."
            )
