"""Studies: the same random networks under several estimates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from engine.config.study import StudyConfig
from searches.models.documents import Stored


class Study(models.Model):
    """One comparison of estimates; each arm is a random search over the same networks (`Search.study`)."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="studies")
    name = models.CharField(max_length=200)
    config = models.JSONField(help_text="engine.config.study.StudyConfig as JSON")
    configuration = Stored(StudyConfig)
    created_at = models.DateTimeField(auto_now_add=True)

    state: dict[str, Any]
    """This is not a column: serializers keep the status of the study here (`selectors.studies.status`)."""

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return self.name
