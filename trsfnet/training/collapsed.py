"""How a run collapsed, as data. It needs no torch, so that records can be read without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

CollapseKind = Literal["loss", "gradient", "explosion", "embeddings", "chance", "unknown"]
"""What was seen:

- `loss`, `gradient`: it was not finite.
- `explosion`: every gradient of a check was far above the run's usual ones.
- `embeddings`: those of the test images were not finite.
- `chance`: training ended without having learned anything.
- `unknown`: a record from before the kind was kept.
"""


@dataclass(frozen=True)
class Collapsed:
    """How a run collapsed.

    Attributes:
        kind: what was seen.
        step: the step at which it was seen, counted from 1; None where only the end of an epoch or of the
            training showed it.
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
        """From what `to_dict` gave.

        Raises:
            ValueError: a field is missing, or is not what it should be.
        """
        if set(fields) != {"kind", "step"}:
            raise ValueError(f"collapse must have kind and step, got {', '.join(fields) or 'nothing'}")
        return cls(fields["kind"], fields["step"])
