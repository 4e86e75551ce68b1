"""What the book shows with MyST, notebooks show in plain Markdown and images."""

from __future__ import annotations

import base64
import re

from matplotlib import pyplot as plt

from trsfnet.report.display import Markdown, captioned, folded, picture, popover
from trsfnet.report.jupyter import BOOK_TYPES
from trsfnet.report.switch import by_track


def in_jupyter(shown) -> str:
    bundle = shown._repr_mimebundle_()
    assert len(bundle) == 2
    (usual,) = set(bundle) & set(BOOK_TYPES)
    return bundle[usual]


def test_fences_become_headings_and_details():
    table = captioned("Three runs", "some-name", "| a | b |\n| --- | --- |\n| 1 | 2 |")
    text = folded("Every run", f"First.\n\n{table}")
    shown = in_jupyter(by_track({"synthetic": [Markdown(text)], "lfw": [Markdown("Other.")]}))
    assert ":::" not in shown
    assert ":name:" not in shown
    assert ":sync:" not in shown
    blocks = [block for block in re.split(r"\n\s*\n", shown) if block.strip()]
    assert [block.strip() for block in blocks] == [
        "**Rendered faces**",
        "<details><summary>Every run</summary>",
        "First.",
        "*Three runs*",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "</details>",
        "**Labeled Faces in the Wild**",
        "Other.",
    ]


def test_popovers_and_links_to_cards_become_text():
    list_of_runs = popover("3 seeds", "runs-of-it", "[seed 0](runs/lfw/a.md)<br>[seed 1](runs/lfw/b.md)")
    text = f"**5 %**, {list_of_runs}; see [v1, seed 0](runs/lfw/a.md#run) and [x](y.ipynb)"
    shown = in_jupyter(Markdown(text))
    assert shown == "**5 %**, 3 seeds; see v1, seed 0 and [x](y.ipynb)"


def test_drawings_become_images_alone_and_within_text():
    figure, axes = plt.subplots()
    axes.plot([1, 2], label="a line")
    drawn = picture(figure, alt='a "line"', caption="It rises.")
    for shown in (in_jupyter(drawn), in_jupyter(Markdown(f"Before.\n\n{drawn.markdown()}\n\nAfter."))):
        assert "<svg" not in shown
        assert "text/csv" not in shown
        assert 'alt="a &quot;line&quot;"' in shown
        assert "It rises." in shown
        (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', shown)
        assert base64.b64decode(data).decode().startswith("<svg style=")
    assert "<svg" in drawn._repr_mimebundle_()[BOOK_TYPES["text/html"]]


def test_where_only_plain_text_is_shown_a_figure_is_its_description():
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    shown = by_track({"synthetic": [picture(figure, alt="A rising line.", caption="It rises.")]})
    assert "[Figure: A rising line.]" in repr(shown)
    assert "<svg" not in repr(shown)
