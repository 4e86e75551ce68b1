"""The pages on the idea, on reproducing, the API and the references, in the built book."""

from __future__ import annotations

import importlib
import re

import pytest
from pybtex.database import parse_file

from tests.book.conftest import ROOT
from tests.book.test_book import references, text

API = sorted(f"api/{file.stem}" for file in (ROOT / "book" / "api").glob("*.md"))


def cited() -> set[str]:
    """Every key that a page cites."""
    files = [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    roles = [
        role for file in files for role in re.findall(r"\{cite:?\w*\}`([^`]+)`", file.read_text("utf-8"))
    ]
    return {key.strip() for role in roles for key in role.split(",")}


def test_what_is_cited_is_in_the_bibliography():
    entries = parse_file(ROOT / "book" / "references.bib").entries
    assert cited()
    assert cited() <= set(entries)
    dois = [entry.fields["doi"] for entry in entries.values() if "doi" in entry.fields]
    assert all(re.fullmatch(r"10\.\d{4,5}/\S+", doi) for doi in dois)
    assert len(set(dois)) == len(dois)
    # Notebooks link to publications, because Jupyter shows the book's citations as code.
    idea = (ROOT / "notebooks" / "idea.ipynb").read_text("utf-8")
    linked = re.findall(r"\]\(https://doi\.org/([^)]+)\)", idea)
    assert linked
    assert set(linked) <= set(dois)
    assert "{cite" not in idea


@pytest.mark.parametrize("page", API)
def test_what_the_api_names_can_be_imported(page):
    directives = re.findall(
        r"^\.\. auto(module|class|function):: (\S+)(?:\n   :members:(.*))?",
        (ROOT / "book" / f"{page}.md").read_text("utf-8"),
        flags=re.M,
    )
    assert directives
    for kind, name, members in directives:
        module, _, thing = (name, "", "") if kind == "module" else name.rpartition(".")
        found = importlib.import_module(module)
        for wanted in filter(
            None, [thing, *members.replace(" ", "").split(",")] if kind == "module" else [thing]
        ):
            assert getattr(found, wanted).__doc__, f"{name}.{wanted} has no docstring"


def test_no_public_name_of_models_and_evaluation_is_missing(book):
    for package, page in (("models", "api/models"), ("evaluation", "api/evaluation")):
        shown = references(book, page).anchors
        module = importlib.import_module(f"trsfnet.{package}")
        for name in filter(lambda name: callable(getattr(module, name)), module.__all__):
            assert f"trsfnet.{package}.{name}" in shown


def test_formulas_are_mathml_with_the_papers_numbers(book):
    html = (book.html / "generated" / "idea.html").read_text("utf-8")
    assert re.findall(r'<span class="eqno">\((\d)\)</span>', html) == ["1", "2", "3", "4", "5"]
    assert html.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') == 5
    assert "MathJax" not in html


def test_the_idea_shows_code_and_drawings(book):
    words = text(book, "generated/idea")
    assert "ScaledProjection.forward in trsfnet/models/layers.py" in words
    assert "y * scale . view ( 1 , - 1 , 1 , 1 )" in words
    assert "True" in words.split("What a scale cannot say")[1]
    html = (book.html / "generated" / "idea.html").read_text("utf-8")
    assert html.count('<figure class="exhibit">') == 3


def test_what_is_included_is_there(book):
    words = text(book, "reproduce")
    for start in ("make book", "papermill notebooks/train.ipynb", "trsfnet align", "run.json", "cff-version"):
        assert start in words
    assert "TRACK=synthetic" in words


def test_dois_lead_somewhere(book):
    links = references(book, "references").links
    assert "https://doi.org/10.1016/j.neucom.2020.05.022" in links
