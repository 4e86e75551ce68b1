"""How a run collapsed, as data. This module does not import torch, so records can be read without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

CollapseKind = Literal["loss", "gradient", "explosion", "embeddings", "chance", "unknown"]
"""The kind of collapse:

- `loss`, `gradient`: the loss or the gradient was not finite.
- `explosion`: every gradient norm between two checks was far above the usual norm of the run.
- `embeddings`: the embeddings of the test images were not finite.
- `chance`: training ended at chance level.
- `unknown`: the record dates from before the kind was stored.
"""


@dataclass(frozen=True)
class Collapsed:
    """How a run collapsed.

    Attributes:
        kind: the kind of collapse.
        step: the step at which it was detected, counted from 1; None if it was detected only at the end of an
            epoch or of training.
    """

    kind: CollapseKind
    step: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(CollapseKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(CollapseKind))}, got {self.kind!r}")
        if self.step is not None and (type(self.step) is not int or self.step < 1):
            raise ValueError(f"step must be a whole number above 0 or None, got {self.step!r}")

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, for `run.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Collapsed:
        """Restore the result of `to_dict`.

        Raises:
            ValueError: a field is missing, unknown or invalid.
        """
        if set(fields) != {"kind", "step"}:
            raise ValueError(f"collapse must have kind and step, got {', '.join(fields) or 'nothing'}")
        return cls(fields["kind"], fields["step"])
