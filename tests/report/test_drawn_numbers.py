"""The numbers behind a figure are those that it draws, under the names that readers see."""

from __future__ import annotations

import csv
import io

from matplotlib import pyplot as plt

from trsfnet.report.display import picture


def test_what_a_figure_draws():
    figure, (left, right) = plt.subplots(1, 2)
    left.plot([1, 2], [0.25, 0.5], label="v1")
    left.scatter([3], [0.1], label="seeds")
    left.set_title("Rendered faces")
    left.set_yticks([0.25, 0.5], ["v1 </script>", "50 %"])
    right.imshow([[7, 8]])
    right.imshow([[[0, 0, 0], [255, 0, 0]]])
    shown = picture(figure, alt="Alternative", caption="Caption")
    rows = list(csv.DictReader(io.StringIO(shown.numbers)))
    assert [tuple(row.values()) for row in rows] == [
        ("Rendered faces", "v1", "1", "v1 </script>"),
        ("Rendered faces", "v1", "2", "0.5"),
        ("Rendered faces", "seeds", "3", "0.1"),
        ("", "7", "0", "0"),
        ("", "8", "1", "0"),
    ]
    assert shown.html().count("</script>") == 1, "numbers end where their element does"


def test_horizontal_bars_have_their_length_and_their_name():
    figure, panel = plt.subplots()
    panel.barh([0, 1], [4, 2], left=[1, 0], label="supported")
    panel.set_yticks([0, 1], ["Accuracy", "Stability"])
    panel.set_title("LFW")
    shown = picture(figure, alt="Alternative", caption="Caption")
    rows = [tuple(row.values()) for row in csv.DictReader(io.StringIO(shown.numbers))]
    assert rows == [("LFW", "supported", "4", "Accuracy"), ("LFW", "supported", "2", "Stability")]


def test_a_line_has_its_own_name_or_that_of_the_line_that_looks_like_it():
    figure, panel = plt.subplots()
    panel.plot([1], [1], "o", color="red", label="short")
    panel.plot([2], [2], "o", color="red")
    panel.plot([3], [3], "D", color="red", label="_long")
    panel.errorbar([4], [4], yerr=[1], fmt="s", color="red", label="_with errors", capsize=0)
    panel.axhline(5, color="red")
    rows = csv.DictReader(io.StringIO(picture(figure, alt="", caption="").numbers))
    assert [row["series"] for row in rows] == ["short", "short", "long", "with errors", "", ""]
