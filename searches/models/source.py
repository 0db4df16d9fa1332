"""The sources of a search: a space, images, a table."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models


class SearchSpace(models.Model):
    """A search space as configured; searches over the same space of one owner share the row."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spaces")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=50)
    options = models.JSONField(help_text="the space part of a search's configuration")
    content_hash = models.CharField(max_length=64)
    size = models.CharField(max_length=400, help_text="number of architectures, exact")
    depth = models.PositiveIntegerField(help_text="number of layers")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["owner", "content_hash"], name="one_space_a_content")]

    def __str__(self) -> str:
        return self.name


class Dataset(models.Model):
    """An uploaded zip of class folders, unpacked under ``NASWEB_HOME/datasets/<id>``."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=200)
    channels = models.PositiveIntegerField(default=3)
    height = models.PositiveIntegerField(default=0, help_text="pixels, after the resize or crop policy's default")
    width = models.PositiveIntegerField(default=0, help_text="pixels")
    class_names = models.JSONField(default=list)
    train_count = models.PositiveIntegerField(default=0)
    test_count = models.PositiveIntegerField(default=0)
    class_counts = models.JSONField(default=dict, help_text="training images per class")
    content_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """The folder of the images."""
        return Path(settings.NASWEB_HOME) / "datasets" / str(self.pk)


class Table(models.Model):
    """An uploaded CSV or Parquet table of architectures, kept under ``NASWEB_HOME/tables``."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tables")
    name = models.CharField(max_length=200)
    filename = models.CharField(max_length=200, help_text="name inside NASWEB_HOME/tables")
    columns = models.JSONField(default=list, help_text="[{name, type}]")
    rows = models.PositiveIntegerField(default=0)
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """The path of the file."""
        return Path(settings.NASWEB_HOME) / "tables" / self.filename
