"""The `paper` track's page: the paper's training and test sets."""

from __future__ import annotations

from dataclasses import dataclass

from trsfnet.report.data.lfw import everyone
from trsfnet.report.display import Markdown, captioned, table


@dataclass(frozen=True)
class FaceData:
    """A published data set of faces.

    Attributes:
        name: the paper's name for it.
        use: its use in the paper.
        people: number of people.
        images: number of images.
        status: whether its authors still distribute it.
        source: source of the numbers, as a Markdown link.
    """

    name: str
    use: str
    people: int
    images: int
    status: str
    source: str


VGGFACE2 = FaceData(
    "VGGFace2, training part",
    "training: tables 1, 2 and 6",
    people=8_631,
    images=3_141_890,
    status="withdrawn in 2020",
    source="[Cao and others, 2018](https://arxiv.org/abs/1710.08092)",
)
MS1MV2 = FaceData(
    "MS1MV2, of MS-Celeb-1M",
    "training: table 3",
    people=85_742,
    images=5_822_653,
    status="MS-Celeb-1M withdrawn in 2019",
    source="[Deng and others, 2019](https://arxiv.org/abs/1801.07698)",
)
IJBB = FaceData(
    "IJB-B",
    "test: table 3, 8,010,270 pairs of templates",
    people=1_845,
    images=21_798 + 55_026,
    status="withdrawn in 2023",
    source=(
        "[Whitelam and others, 2017](https://openaccess.thecvf.com/content_cvpr_2017_workshops/w6/html/"
        "Whitelam_IARPA_Janus_Benchmark-B_CVPR_2017_paper.html)"
    ),
)
"""IJB-B; its images are 21,798 stills and 55,026 frames of 7,011 videos."""


def sets() -> Markdown:
    """Tabulate the paper's data sets with their size and availability."""
    images = everyone().images
    lfw = FaceData(
        "LFW, View 2",
        "test: tables 1, 2 and 6, 6,000 pairs",
        people=len(images),
        images=int(images.sum()),
        status="public",
        source="[Huang and others, 2007](https://vis-www.cs.umass.edu/lfw/)",
    )
    rows = [
        (data.name, data.use, f"{data.people:,}", f"{data.images:,}", data.status, data.source)
        for data in (VGGFACE2, MS1MV2, lfw, IJBB)
    ]
    header = ("Set", "In the paper", "People", "Images", "Today", "Described by")
    caption = "The paper's data sets. IJB-B's images are stills and video frames."
    return Markdown(captioned(caption, "paper-sets", table(header, rows)))
