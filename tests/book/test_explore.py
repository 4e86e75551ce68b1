"""The page "Explore" works from the disk: pickers, sliders, brushing, keyboard, files, phone, no script."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.book.conftest import watched
from tests.report.explorable import whole_run
from tests.report.fakes import fake_run
from trsfnet.analysis import load
from trsfnet.report.explore import page as parts
from trsfnet.report.explore.catalogue import LEVELS, Run, for_the_book
from trsfnet.report.explore.shown import Shown

PAGE = "generated/explore_page.html"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    """Two seeds with everything, a shorter run with slopes alone, one of another track, one with nothing."""
    root = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        whole_run(root, seed=seed)
    whole_run(root, "v1-trsf-relu")
    whole_run(root, track="lfw", epochs=6, image_size=75)
    fake_run(root, "v1-prelu", epochs=2)
    return for_the_book(load(root))


@pytest.fixture(scope="module")
def file(runs, tmp_path_factory) -> Path:
    """The parts of the page as a file of their own: the book itself takes long to build."""
    shown = "".join(part._repr_html_() for part in (parts.explorer(runs), parts.what_if(runs)))
    file = tmp_path_factory.mktemp("page") / "explore.html"
    file.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>E</title>"
        # Names that the theme's scripts have taken.
        f"<script>const _ = 0, $ = 0, e = 0, t = 0</script>{shown}</html>"
    )
    return file


@pytest.fixture
def page(file, browser):
    """The page in a browser without network; whatever it complains of fails the test."""
    with watched(browser, viewport={"width": 1280, "height": 900}, accept_downloads=True) as page:
        open_page(page, file)
        yield page


def open_page(page, file: Path) -> None:
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelectorAll('.explorer-summary').length === 2")
    page.wait_for_function(
        "[...document.querySelectorAll('.explorer-summary')].every((one) => one.textContent)"
    )
    page.wait_for_selector("[data-chart='modules'] .mark-symbol path")


def pick(page, side: int, run: Run) -> None:
    for level, title in LEVELS.items():
        page.locator(".explorer fieldset").nth(side).get_by_label(title).select_option(getattr(run, level))


def named(runs: list[Run], setting: str, track: str = "synthetic") -> Run:
    return next(r for r in runs if r.record.variant == setting and r.record.track == track)


def summary(page) -> list[str]:
    return page.locator(".explorer-summary p").all_inner_texts()


def drawn(page, chart: str, mark: str = "symbol") -> list[str]:
    """The marks of a chart, each with its place and shape."""
    found = page.locator(f"[data-chart='{chart}'] .mark-{mark} path")
    return found.evaluate_all("all => all.map(one => one.getAttribute('transform') + one.getAttribute('d'))")


def strong(page, chart: str) -> int:
    """How many lines of a chart stand out."""
    lines = page.locator(f"[data-chart='{chart}'] .mark-line path")
    return lines.evaluate_all("all => all.filter((one) => one.getAttribute('opacity') === '1').length")


def test_two_runs_are_compared_at_every_epoch_by_the_keyboard(page, runs):
    first, second = named(runs, "v1-trsf-prelu"), named(runs, "v1-trsf-prelu", "lfw")
    pick(page, 0, first)
    pick(page, 1, second)
    slider = page.get_by_label("Epoch", exact=True)
    slider.focus()
    page.keyboard.press("End")
    last = int(slider.get_attribute("max"))
    assert last == 6
    seen = set()
    for epoch in range(last, -1, -1):
        assert slider.input_value() == str(epoch)
        for side, run in zip("AB", (first, second), strict=True):
            ours = Shown(run, "trsf", epoch)
            line = summary(page)["AB".index(side)]
            assert line.startswith(f"{side}: {run.name}: at epoch {min(epoch, ours.table.index[-1])} of ")
            mean = float(re.search(r"mean ([−\d.]+)", line)[1].replace("−", "-"))
            assert mean == pytest.approx(ours.values.mean(), rel=0.01, abs=2e-3)
            assert f"{int((ours.values < 0).sum())} of 20 below zero" in line
        page.wait_for_timeout(50)
        assert len(drawn(page, "modules")) == 40
        seen.add(tuple(drawn(page, "modules")))
        page.keyboard.press("ArrowLeft")
    assert len(seen) == last + 1, "each epoch has a drawing of its own"


def test_play_goes_through_the_epochs(page):
    page.get_by_role("button", name="Play").click()
    slider = page.get_by_label("Epoch", exact=True)
    assert slider.input_value() in ("0", "1")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('button')].some((one) => one.textContent === 'Play')"
    )
    assert slider.input_value() == slider.get_attribute("max")


def test_all_seeds_of_a_setting_are_shown_together(page, runs):
    select = page.locator(".explorer fieldset").nth(0).get_by_label("Seeds")
    pick(page, 0, named(runs, "v1-trsf-prelu"))
    select.select_option("all 2 (short)")
    assert "of 40 below zero" in summary(page)[0]
    page.wait_for_timeout(200)
    assert len(drawn(page, "courses A", "line")) == 40


def test_a_run_without_the_kind_says_why(page, runs):
    plain = named(runs, "v1-prelu")
    pick(page, 1, plain)
    assert summary(page)[1] == f"B: {Shown(plain, 'trsf', 99).summary.removesuffix('.')}."
    page.wait_for_timeout(200)
    assert len(drawn(page, "modules")) == 20
    page.get_by_label("Show").select_option("PReLU slopes")
    page.wait_for_timeout(200)
    assert len(drawn(page, "modules")) == 2 * 131


def test_chosen_modules_are_followed_in_every_chart(page):
    assert (strong(page, "courses A"), strong(page, "courses B")) == (0, 0)
    modules = page.locator("[data-chart='modules'] svg")
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
    page.wait_for_timeout(200)
    assert strong(page, "courses A") == strong(page, "courses B") == end - start + 1
    assert summary(page)[2].startswith(f"Module {start} to {end}: A ")
    page.get_by_role("button", name="All modules").click()
    assert len(summary(page)) == 2
    page.get_by_label("To module", exact=True).fill("1")
    assert summary(page)[2].startswith("TRSF_inception-resnet v1.1: A ")


def test_a_module_that_is_pointed_at_stands_out_in_every_chart(page):
    for chart in ("modules", "plane", "ratio"):
        page.locator(f"[data-chart='{chart}'] .mark-symbol path").first.hover(force=True)
        assert re.match(r"TRSF_inception-resnet v1\.\d+: A ", page.locator(".explorer-note").inner_text()), (
            chart
        )
        page.wait_for_timeout(200)
        assert strong(page, "courses A") == strong(page, "courses B") == 1
        page.mouse.move(0, 0)
        page.wait_for_timeout(200)
        assert strong(page, "courses A") == 0


def test_what_is_shown_can_be_taken_along(page, runs, tmp_path):
    run = named(runs, "v1-trsf-prelu")
    pick(page, 0, run)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "explored.csv")
    with (tmp_path / "explored.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["side"] == "A" and row["kind"] == "trsf"]
    table = run.tables["trsf"]
    assert len(rows) == table.size
    for row in rows[:: table.size // 10]:
        assert float(row["value"]) == pytest.approx(table.loc[int(row["epoch"]), row["name"]], rel=1e-3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").click()
    download.value.save_as(tmp_path / "explored.svg")
    svg = (tmp_path / "explored.svg").read_text()
    assert svg.count("Residual scales (TRSF) at epoch 4") == 1
    assert svg.count("<svg") == 8, "seven charts in one drawing"


def test_what_if_follows_its_sliders(page):
    said = page.locator("[data-part='what-if'] .explorer-summary")
    expected = "Decay budget κ = 12.5: under gradient flow, the mean scale ends at 2.5"
    assert said.inner_text().startswith(expected)
    page.get_by_role("button", name="Ours, rendered faces").click()
    assert "the mean scale ends at 0.10" in said.inner_text()
    page.get_by_label("Weight decay", exact=True).focus()
    before = drawn(page, "budget")
    page.keyboard.press("End")
    assert "Decay budget κ = 12: under gradient flow, the mean scale ends at 2.5" in said.inner_text()
    page.wait_for_timeout(200)
    assert drawn(page, "budget") != before
    page.get_by_label("Strength").select_option("falls to a quarter")
    assert "the mean scale ends at 1.17" in said.inner_text()


def test_controls_are_reached_by_tab_and_show_their_focus(page):
    page.locator(".explorer select").first.focus()
    reached = []
    for _ in range(40):
        label = "e => e.ariaLabel || e.closest('label')?.firstChild.textContent || e.textContent"
        if not page.evaluate("document.activeElement.closest('.explorer') !== null"):
            break
        reached.append(page.evaluate_handle("document.activeElement").evaluate(label))
        assert page.evaluate("document.activeElement.matches(':focus-visible')"), reached
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none", reached
        page.keyboard.press("Tab")
    assert reached.count("Setting") == 2
    expected = {"Show", "Epoch", "Play", "From module", "To module", "All modules", "Weight decay", "Steps"}
    assert expected <= set(reached)


def test_it_fits_its_place_and_follows_when_that_changes(page, file):
    for width in (390, 800, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for figure in page.locator(".explorer-live figure").all():
            box, drawing = figure.bounding_box(), figure.locator("svg").bounding_box()
            assert box["width"] > 250
            assert abs(drawing["width"] - box["width"]) < 12


def test_without_script_and_in_print_figures_stand_in_its_place(file, browser, page):
    page.emulate_media(media="print")
    assert page.locator(".explorer-static figcaption").first.is_visible()
    assert not page.locator(".explorer-live").first.is_visible()
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(file.as_uri())
    assert bare.locator(".explorer-static svg").first.is_visible()
    assert "mean" in bare.locator(".explorer-static figcaption").first.inner_text()
    context.close()


def test_the_book_has_it_with_every_run_linked(book, browser):
    with watched(browser, viewport={"width": 390, "height": 844}) as page:
        open_page(page, book.html / PAGE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        href = page.locator(".explorer fieldset").nth(0).get_by_role("link").evaluate("link => link.href")
        assert Path(re.sub(r"[?#].*", "", href.removeprefix("file://"))).exists()
    # The charts' library, which no other page loads, is 0.9 of it.
    assert (book.html / PAGE).stat().st_size < 4 * 2**20
