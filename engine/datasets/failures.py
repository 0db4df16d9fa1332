"""The error that names an image file that cannot be used."""

from __future__ import annotations

from engine.errors import DataError


class ImageError(DataError):
    """A file that cannot be used as an image, with the reason and the fix."""

    def __init__(self, name: str, reason: str, remedy: str = "replace or remove it") -> None:
        super().__init__(name, reason, remedy)
        self.name = name
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"the file {self.name} {self.reason}; {self.remedy}, then try again"
