"""The figure of the claims: questions are picked, claims appear with their numbers and link to them."""

from __future__ import annotations

import pytest

from tests.book.conftest import watched
from trsfnet.report.claims.questions import QUESTIONS

_OUTCOMES = "all => all.map((one) => one.dataset.outcome)"


@pytest.fixture
def page(book, browser):
    """The page in a browser without network; whatever it complains of fails the test."""
    with watched(browser, viewport={"width": 1280, "height": 900}) as page:
        page.goto((book.html / "generated" / "claims.html").as_uri())
        yield page


def shown(page, name: str) -> int:
    return page.locator(f".overview {name}").locator("visible=true").count()


def test_each_question_opens_its_claims_with_numbers_by_the_keyboard(page):
    assert shown(page, ".overview-question") == len(QUESTIONS)
    assert shown(page, ".overview-numbers") == 0
    picker = page.get_by_label("Question")
    picker.focus()
    for question, claims in QUESTIONS.items():
        page.keyboard.press("ArrowDown")
        assert picker.input_value() == question
        assert shown(page, ".overview-claim") == len(claims)
        assert shown(page, ".overview-question") == 0
    picker.select_option("")
    assert shown(page, ".overview-question") == len(QUESTIONS)


def test_the_key_explains_the_marks_that_are_visible(page):
    """Every selection: a mark of an outcome is explained exactly if a point with it is shown."""
    for question in ["", *QUESTIONS]:
        page.get_by_label("Question").select_option(question)
        explained, drawn = (
            set(
                page.locator(f".overview {part}[data-outcome]")
                .locator("visible=true")
                .evaluate_all(_OUTCOMES)
            )
            for part in (".overview-key span", ".overview-line")
        )
        assert explained == drawn


def test_one_group_of_runs_is_left(page):
    picker = page.get_by_role("combobox", name="Runs", exact=True)
    groups = picker.locator("option").all_inner_texts()[1:]
    assert shown(page, ".overview-line") == len(QUESTIONS) * len(groups)
    picker.select_option(groups[0])
    assert shown(page, ".overview-line") == len(QUESTIONS)


def test_every_claim_links_to_what_is_behind_it(page):
    links = page.locator(".overview-claims a").evaluate_all("all => all.map((one) => one.href)")
    assert len(set(links)) == sum(map(len, QUESTIONS.values()))
    page.goto(links[0])
    there = set(page.locator("[id^='claim-']").evaluate_all("all => all.map((one) => one.id)"))
    assert {link.partition("#")[2] for link in links} <= there


def test_without_script_each_question_has_its_main_claim(book, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book.html / "generated" / "claims.html").as_uri())
    assert shown(page, ".overview-question") == len(QUESTIONS)
    context.close()
