"""The page on the paper's own test."""

from __future__ import annotations

import re

from trsfnet.report import statistics


def test_cells_and_differences_are_the_papers():
    figure = statistics.cells_figure()
    assert "17 cells" in figure.caption
    assert figure.svg.count("Table 6: ") == 5
    assert "2,802 of 3,000" in str(statistics.cells_table())
    text = str(statistics.differences())
    clear, undecided, noise = (
        text.split(f":name: differences-{w}")[1] for w in ("clear", "open", "within-noise")
    )
    assert "| v1 + TRSF + PReLU − v1 (1) | +75 (+2.50) |" in clear.split(":::")[0]
    assert "v2 + TRSF − v2 (2)" in undecided.split(":::")[0]
    assert "+4 (+0.13)" in noise
    assert statistics.verdict().startswith("Of 15 differences that the paper reports, 9 exceed")
    assert "and 1 lies within it (v2 + PReLU from 0.25 − v2 + PReLU)" in statistics.verdict()


def test_the_more_seeds_vary_the_less_one_run_shows():
    lines = str(statistics.single_seed()).splitlines()
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in lines if re.match(r"\| \d", line)]
    smallest = [float(r[1]) for r in rows]
    seen = [int(r[2].split()[0]) for r in rows]
    assert smallest == sorted(smallest)
    assert seen == sorted(seen, reverse=True)
    # By a t test 17, where a normal one, 2 (1.96 + 0.84)^2, would have 16; two seeds at the least.
    assert [row[3] for row in rows if row[0] in ("0.00", "0.50", "1.00")] == ["2", "6", "17"]


def test_the_seed_table_says_which_differences_it_counts():
    text = str(statistics.single_seed())
    assert "15 differences, these are the 14 on LFW; the table leaves out 1 on IJB-B" in text
    assert " of 14 |" in text


def test_cells_of_one_run_are_counted_once():
    """Table 6 repeats a run of table 2, so that 17 cells are 16 chances of 3 in 10."""
    assert "All 17 cells on LFW, of 16 runs," in statistics.grid_of_3000()
    assert f"1 in {0.3**-16 / 1e6:,.0f} million" in statistics.grid_of_3000()


def test_starts_of_slopes_as_a_spread():
    sentence = statistics.starts_spread()
    assert "0.77 points" in sentence
    assert "94.37 at 0.1 and 95.83 at 0.2" in sentence
