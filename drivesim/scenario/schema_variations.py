"""Variables of a scenario file, and how they vary."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ..yaml_files import FieldError, FileModel
from ..yaml_places import in_words

MOST_VARIATIONS = 10_000


def _single(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"expected a number, a text, true or false, got {in_words(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {in_words(value)}")
    return value


VariableValue: TypeAlias = Annotated[float | int | str | bool, BeforeValidator(_single)]
VariableName: TypeAlias = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="letters, digits and _, not first a digit.")
]


class RangeFile(FileModel):
    """Evenly spaced numbers from start to stop, both included."""

    kind: Literal["range"]
    start: float
    stop: float
    count: int = Field(ge=1, le=MOST_VARIATIONS)

    @model_validator(mode="after")
    def _reaches_stop(self) -> Self:
        if self.count == 1 and self.start != self.stop:
            raise FieldError(("count",), "must be at least 2 to reach both start and stop, got 1")
        return self


class SampleFile(FileModel):
    """Random numbers, the same for the same seed and variable."""

    kind: Literal["sample"]
    low: float
    high: float
    count: int = Field(ge=1, le=MOST_VARIATIONS)
    seed: int = Field(0, ge=0)
    whole: bool = Field(False, description="Whole numbers only, low and high included.")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.high < self.low:
            raise FieldError(("high",), f"must be at least low, which is {self.low:g}, got {self.high:g}")
        if self.whole and math.ceil(self.low) > math.floor(self.high):
            raise FieldError(("whole",), f"there is no whole number from {self.low:g} to {self.high:g}")
        return self


class ListFile(FileModel):
    """Values one after the other."""

    kind: Literal["list"]
    values: tuple[VariableValue, ...] = Field(min_length=1)


Values: TypeAlias = Annotated[RangeFile | SampleFile | ListFile, Field(discriminator="kind")]


class VaryFile(FileModel):
    """Many scenarios from one: every variable takes its values, in all combinations or side by side."""

    how: Literal["product", "zip"] = Field("product", description="product: all combinations. zip: side by side.")
    variables: dict[VariableName, Values] = Field(min_length=1)

    def counts(self) -> dict[str, int]:
        """How many values every variable takes."""
        return {
            name: len(values.values) if isinstance(values, ListFile) else values.count
            for name, values in self.variables.items()
        }

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        counts = self.counts()
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        if self.how == "zip" and len(set(counts.values())) > 1:
            raise FieldError(("how",), f"side by side, all variables need as many values as each other: {listed}")
        if self.how == "product" and (total := math.prod(counts.values())) > MOST_VARIATIONS:
            problem = f"makes {total:,} scenarios ({listed}), at most {MOST_VARIATIONS:,}. Take fewer, or how: zip"
            raise FieldError((), problem)
        return self
