"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tinyml_cli.outcomes.housekeeping import Finding


@dataclass(frozen=True)
class DoctorCheck:
    """One thing that was looked for.

    Attributes:
        name: what.
        purpose: what needs it.
        found: its version or state; "" when it is missing or wrong.
        remedy: how to mend it.
        required: whether nothing useful works without it.
        program: what `packages` installs it as; "" where that is not done for the user.
    """

    name: str
    purpose: str
    found: str
    remedy: str
    required: bool
    program: str = ""

    @property
    def verdict(self) -> str:
        """OK, missing (must be mended) or -- (may be missing)."""
        if self.found:
            return "OK"
        return "missing" if self.required else "--"

    @property
    def outcome(self) -> Finding:
        """For --json."""
        return Finding(**{name: value for name, value in asdict(self).items() if name != "program"})
