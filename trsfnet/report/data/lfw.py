"""The `lfw` track's page: the people in Labeled Faces in the Wild, and how the track divides them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import PercentFormatter

from trsfnet.analysis.benchmarks import measured
from trsfnet.data.align.detect import SMALLEST_FACE, THRESHOLDS
from trsfnet.data.lfw import CROP
from trsfnet.data.lfw_files import read_people
from trsfnet.data.tracks import lfw
from trsfnet.experiments.budgets import budget_settings
from trsfnet.report import style
from trsfnet.report.display import Markdown, Picture, captioned, picture, table
from trsfnet.text import NBSP, joined, percent
from trsfnet.training.config import track_defaults

# The smallest number of images per person in each group of the figure.
_GROUPS = (1, 2, 4, 10, 50)


@dataclass(frozen=True)
class Part:
    """A part of LFW, described by the number of images of each person.

    Attributes:
        images: number of images of each person: int64 [P].
    """

    images: np.ndarray

    @property
    def same_pairs(self) -> np.ndarray:
        """Number of pairs of two images of each person: int64 [P]."""
        return self.images * (self.images - 1) // 2

    @property
    def different_pairs(self) -> int:
        """Number of pairs of images of two different people."""
        total = int(self.images.sum())
        return total * (total - 1) // 2 - int(self.same_pairs.sum())


def everyone() -> Part:
    """Return all of LFW, according to the package's copy of its `people.txt`."""
    return Part(_images(range(lfw.TEST_SETS.stop)))


def learned() -> Part:
    """Return the part on which the track trains by default."""
    images = _images(lfw.TRAIN_SETS)
    return Part(images[images >= track_defaults("lfw")["images_per_identity"]])


def verified() -> Part:
    """Return the part on which the track evaluates verification."""
    return Part(_images(lfw.TEST_SETS))


def _images(sets: range) -> np.ndarray:
    people = read_people()
    return np.array([person.images for number in sets for person in people[number]])


def parts() -> Markdown:
    """Tabulate the people, images and pairs of the parts into which the track divides LFW."""
    fewest = track_defaults("lfw")["images_per_identity"]
    named = {
        f"training: sets {_span(lfw.TRAIN_SETS)}, people with {fewest} images or more": learned(),
        f"test: sets {_span(lfw.TEST_SETS)}": verified(),
        "all of LFW": everyone(),
    }
    rows = [
        (
            name,
            f"{len(part.images):,}",
            f"{part.images.sum():,}",
            f"{part.same_pairs.sum():,}",
            f"{part.different_pairs:,}",
        )
        for name, part in named.items()
    ]
    header = ("Part", "People", "Images", "Same-person pairs", "Different-person pairs")
    caption = "How the track divides LFW, counted in `people.txt`."
    return Markdown(captioned(caption, "lfw-parts", table(header, rows)))


def _span(sets: range) -> str:
    return f"{sets.start + 1} to {sets.stop}"


def input_images() -> Markdown:
    """State which part of each image the networks see on this track."""
    return Markdown(
        f"From each image of 250{NBSP}pixels, the track keeps the central {CROP} and resizes them to "
        f"{track_defaults('lfw')['image_size']} by default; the runs behind the verdicts use "
        f"{budget_settings('full', 'lfw')['image_size']}."
    )


def concentration() -> Picture:
    """Plot how few people account for most of the same-person pairs of the verified part."""
    part = verified()
    group = np.searchsorted(_GROUPS, part.images, side="right") - 1
    numbers = {
        "people": np.ones_like(part.images),
        "images": part.images,
        "same-person pairs": part.same_pairs,
    }
    shares = {
        name: np.bincount(group, weights, minlength=len(_GROUPS)) / weights.sum()
        for name, weights in numbers.items()
    }
    ends = [*(following - 1 for following in _GROUPS[1:]), None]
    labels = [_interval(first, last) for first, last in zip(_GROUPS, ends, strict=True)]
    with style.panels(1, 1, 3.2) as (figure, ((axes,),)):
        for place, (name, values) in enumerate(shares.items()):
            left = np.arange(len(_GROUPS)) + 0.27 * (place - 1)
            bars = axes.bar(left, values, width=0.25, linewidth=0, label=name)
            axes.bar_label(bars, [f"{100 * value:.0f}" for value in values], fontsize=9, padding=1)
        axes.set_xticks(range(len(_GROUPS)), labels)
        axes.set(xlabel="Images of a person", ylabel="Share of the verified part", ylim=(0, 1.08))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper center")
    most, pairs = int(part.same_pairs.max()), int(part.same_pairs.sum())
    finding = (
        f"One person has {most:,} of the {pairs:,} same-person pairs, {percent(most / pairs)}; "
        f"{percent(shares['people'][0])} of the people have a single image and no such pair."
    )
    words = [
        f"with {label} {'image' if label == '1' else 'images'} "
        + joined([f"{percent(values[i])} of the {name}" for name, values in shares.items()])
        for i, label in enumerate(labels)
    ]
    return picture(
        figure,
        alt=f"Shares of people, images and pairs by how many images a person has: {'; '.join(words)}.",
        caption=f"Who makes up the {len(part.images):,} people of the verified part. {finding}",
    )


def _interval(first: int, last: int | None) -> str:
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"{first} to {last}"


def alignment() -> Markdown:
    """Tabulate how many faces `trsfnet align` finds in LFW."""
    result = measured("align")
    if result is None:
        return Markdown("The alignment has not been measured here; `python -m benchmarks.align` measures it.")
    words = {
        "found": "one face found",
        "chosen": "several faces found, one chosen",
        "none": "no face found, the centre kept",
        "failed": "not readable",
    }
    counts, total = result["counts"], result["images"]
    rows = [(name, f"{counts[key]:,}", percent(counts[key] / total)) for key, name in words.items()]
    thresholds = joined([f"{value:g}" for value in THRESHOLDS])
    sentence = (
        f"Measured on {total:,} of the {everyone().images.sum():,} images ({result['version']}) with "
        f"facenet's settings: faces of {SMALLEST_FACE} pixels or more, thresholds {thresholds}."
    )
    body = table(("MTCNN", "Images", "Share"), rows)
    return Markdown(f"{sentence}\n\n{captioned('Faces that MTCNN finds in LFW.', 'lfw-alignment', body)}")
