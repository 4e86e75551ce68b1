"""All readers of files that come from elsewhere, for the searches for files that break them."""

from tests.data.targets import TARGETS as BINARY_TARGETS
from tests.data.text_targets import TEXT_TARGETS
from tests.model_targets import MODEL_TARGETS

TARGETS = BINARY_TARGETS | TEXT_TARGETS | MODEL_TARGETS
