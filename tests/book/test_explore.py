"""The page "Explore" works from the disk: pickers, sliders, brushing, keyboard, phone, no script, print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.book.conftest import watched
from trsfnet.analysis import load
from trsfnet.report.explore.catalogue import LEVELS, Run, for_the_book
from trsfnet.report.explore.shown import Shown

PAGE = "generated/explore_page.html"


@pytest.fixture(scope="module")
def runs(book) -> list[Run]:
    """What the page offers."""
    return for_the_book(load(book.root / "results", book.runs))


@pytest.fixture
def page(book, browser):
    """The page in a browser without network; whatever it complains of fails the test."""
    with watched(browser, viewport={"width": 1280, "height": 900}) as page:
        page.goto((book.html / PAGE).as_uri())
        page.wait_for_selector(".explorer-live circle")
        yield page


def pick(page, side: int, run: Run) -> None:
    for level, title in LEVELS.items():
        page.locator(".explorer fieldset").nth(side).get_by_label(title).select_option(getattr(run, level))


def two(runs: list[Run]) -> tuple[Run, Run]:
    """A run of each track with scales."""
    return tuple(
        next(r for r in runs if {"trsf", "slope"} <= set(r.tables) and r.record.info["track"] == track)
        for track in ("synthetic", "lfw")
    )


def summary(page) -> list[str]:
    return page.locator(".explorer-summary p").all_inner_texts()


def heights(page, side: int) -> list[float]:
    """Where the modules of a run are drawn, in pixels from the top."""
    points = page.locator(f".explorer-live > figure circle[data-side='{side}']")
    return points.evaluate_all("all => all.map(one => Number(one.getAttribute('cy')))")


def strong(page, side: int) -> int:
    """How many trajectories of a run stand out."""
    lines = page.locator(".explorer-views figure").nth(side).locator("polyline[opacity='1']")
    return lines.count()


def test_two_runs_are_compared_at_every_epoch_by_the_keyboard(page, runs):
    first, second = two(runs)
    pick(page, 0, first)
    pick(page, 1, second)
    slider = page.get_by_label("Epoch", exact=True)
    slider.focus()
    page.keyboard.press("End")
    last = int(slider.get_attribute("max"))
    assert last == max(first.tables["trsf"].index[-1], second.tables["trsf"].index[-1])
    drawn = set()
    for epoch in range(last, -1, -1):
        assert slider.input_value() == str(epoch)
        shown = [Shown(run, "trsf", epoch) for run in (first, second)]
        assert summary(page) == [f"A: {shown[0].summary}", f"B: {shown[1].summary}"]
        assert len(heights(page, 0)) == len(shown[0].values)
        drawn.add(tuple(heights(page, 0) + heights(page, 1)))
        page.keyboard.press("ArrowLeft")
    assert len(drawn) == last + 1, "each epoch has a drawing of its own"
    # At the start all scales are equal, and every point of both runs is at one height.
    assert len({round(height, 1) for height in heights(page, 0) + heights(page, 1)}) == 1


@pytest.mark.parametrize(("kind", "title"), [("trsf", "Residual scales (TRSF)"), ("slope", "PReLU slopes")])
def test_every_value_is_the_records_to_three_digits(page, runs, kind, title):
    first, second = two(runs)
    pick(page, 0, first)
    pick(page, 1, second)
    page.get_by_label("Show").select_option(title)
    ends = [Shown(run, kind, 99).values for run in (first, second)]
    start, end = (page.get_by_label(name, exact=True) for name in ("From module", "To module"))
    for place in (0, 1, len(ends[0]) // 2, len(ends[0]) - 1):
        page.get_by_role("button", name="All modules").click()
        start.fill(str(place + 1))
        end.fill(str(place + 1))
        name, a, b = re.fullmatch(r"(.+): A (\S+), B (\S+)\.", summary(page)[2]).groups()
        assert name == ends[0].index[place] == ends[1].index[place]
        for text, values in zip((a, b), ends, strict=True):
            assert float(text.replace("−", "-")) == float(f"{values.iloc[place]:.3g}")


def test_a_run_without_the_kind_says_why(page, runs):
    plain = next(run for run in runs if "trsf" not in run.tables)
    pick(page, 1, plain)
    assert summary(page)[1] == f"B: {Shown(plain, 'trsf', 99).summary}"
    assert heights(page, 1) == []
    assert heights(page, 0) != []


def test_a_drag_over_modules_is_followed_in_every_view(page):
    assert (strong(page, 0), strong(page, 1)) == (0, 0)
    modules = page.locator(".explorer-live > figure svg")
    modules.scroll_into_view_if_needed()
    box = modules.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=4)
    page.mouse.up()
    page.mouse.move(0, 0)
    start, end = (int(page.get_by_label(n, exact=True).input_value()) for n in ("From module", "To module"))
    assert 1 < start < end < 20
    assert strong(page, 0) == strong(page, 1) == end - start + 1
    assert summary(page)[2].startswith(f"Block {start} to {end}: A ")
    dimmed = page.locator(".explorer-live > figure circle[opacity='0.2']").count()
    assert dimmed == 2 * (20 - (end - start + 1))
    page.get_by_role("button", name="All modules").click()
    assert len(summary(page)) == 2


def test_what_is_pointed_at_stands_out_in_every_view(page):
    views = [".explorer-live > figure svg", ".explorer-views figure:first-child svg"]
    for view in views:
        page.locator(view).hover()
        assert "TRSF_inception-resnet v1." in page.locator(".explorer-note").inner_text()
        assert strong(page, 0) == strong(page, 1) == 1
        page.mouse.move(0, 0)
        assert page.locator(".explorer-note").inner_text() == ""
    # A bar for what stands out lies above it.
    page.locator(".explorer-views rect[data-side='0']").first.hover(force=True)
    assert strong(page, 0) >= 1


def test_the_pickers_keep_to_runs_that_exist_and_link_their_records(page, runs):
    first, second = two(runs)
    picker = page.locator(".explorer fieldset").nth(0)
    picker.get_by_label("Track").select_option(second.track)
    settings = picker.get_by_label("Setting").locator("option").all_inner_texts()
    arch = picker.get_by_label("Architecture").input_value()
    assert settings == list(
        dict.fromkeys(run.setting for run in runs if (run.track, run.arch) == (second.track, arch))
    )
    pick(page, 0, first)
    link = picker.get_by_role("link")
    href = link.evaluate("link => link.href")
    assert href.startswith("file:")
    assert Path(re.sub(r"[?#].*", "", href.removeprefix("file://"))).exists()


def test_controls_are_reached_by_tab_and_show_their_focus(page):
    page.locator(".explorer select").first.focus()
    reached = []
    for _ in range(30):
        label = "e => e.ariaLabel || e.closest('label')?.firstChild.textContent || e.textContent"
        active = page.evaluate_handle("document.activeElement")
        if not page.evaluate("document.activeElement.closest('.explorer') !== null"):
            break
        reached.append(active.evaluate(label))
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none", reached
    assert reached.count("Setting") == 2
    assert {"Show", "Epoch", "From module", "To module", "All modules"} <= set(reached)


def test_it_fits_a_phone(book, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto((book.html / PAGE).as_uri())
    page.wait_for_selector(".explorer-live circle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for view in page.locator(".explorer-live svg").all():
        assert view.bounding_box()["width"] > 250
    context.close()


def test_without_script_and_in_print_a_figure_stands_in_its_place(book, browser, page):
    page.emulate_media(media="print")
    assert page.locator(".explorer-static figcaption").is_visible()
    assert not page.locator(".explorer-live").is_visible()
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto((book.html / PAGE).as_uri())
    assert bare.locator(".explorer-static svg").is_visible()
    assert "mean" in bare.locator(".explorer-static figcaption").inner_text()
    context.close()


def test_the_page_is_no_larger_than_a_few_megabytes(book):
    assert (book.html / PAGE).stat().st_size < 4 * 2**20
