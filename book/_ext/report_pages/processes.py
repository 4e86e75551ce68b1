"""Makes Sphinx use several processes, and spares them work that is not needed or that each would repeat."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from sphinx.application import Sphinx
from sphinx.config import Config

from report_pages.kernel import KERNELS


def read_in_parallel(app: Sphinx, config: Config) -> None:
    """Make Sphinx read and write pages in several processes, for which jupyter-book has no option."""
    app.parallel = max(app.parallel, KERNELS)
    # Safe though not declared as such: it numbers the table of contents after all pages have been read.
    if numbering := app.extensions.get("sphinx_multitoc_numbering"):
        numbering.parallel_read_safe = True


def collect_garbage_rarely(app: Sphinx, config: Config) -> None:
    """Spare the garbage collector from examining all documents again and again.

    By Python's default thresholds it takes a fifth of the time that Sphinx needs.
    """
    gc.freeze()
    gc.set_threshold(200_000, 10, 1_000)


@contextmanager
def package_imported(app: Sphinx) -> Iterator[None]:
    """Import the package meanwhile if all pages will be read, so that not every process imports it again."""
    thread = Thread(target=_import_package)
    if not Path(app.doctreedir, "environment.pickle").exists():
        thread.start()
    yield
    if thread.ident is not None:
        thread.join()  # a process that is forked during an import cannot import anything


def _import_package() -> None:
    with suppress(ImportError):  # the pages that need it say so
        import trsfnet.analysis  # noqa: F401
