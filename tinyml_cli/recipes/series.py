"""How to read files of sensor series that do not declare their format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.recipes.base import RecipeSection


class UnitsRecipe(RecipeSection):
    """Units of the files' columns; they overrule what a file declares."""

    time: Literal["s", "ms", "us", "ns", "min", "h", "d"] | None = Field(
        default=None, description="of the time column"
    )
    accel: str | float | None = Field(
        default=None,
        description="g, mg, m/s2, how many counts are one g, such as 16384, or own: left in the file's unit",
    )
    gyro: str | float | None = Field(
        default=None,
        description="deg/s, mdps, rad/s, arduino-lsm9ds1, or the counts per degree a second, such as 131",
    )


class SeriesRecipe(RecipeSection):
    """Reading of sensor series."""

    units: UnitsRecipe = Field(default_factory=UnitsRecipe)
    columns: list[str] | None = Field(
        default=None,
        description="names of the columns, where the header does not tell, such as [t_ms,ax,ay,az]",
    )
    decimal: Literal["dot", "comma"] | None = Field(default=None, description="the decimal mark")
    rate_hz: float | None = Field(default=None, gt=0, le=1e6, description="of files without a time column")
