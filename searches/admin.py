"""The rows in Django's admin, for inspection and clean-up; users control searches through pages and API."""

from __future__ import annotations

from django.contrib import admin

from searches.models import Candidate, Dataset, Search, SearchSpace, Table, Training, Worker


@admin.register(Search)
class SearchAdmin(admin.ModelAdmin):
    """Searches."""

    list_display = ["id", "name", "owner", "status", "scored", "failed", "created_at"]
    list_filter = ["status"]
    search_fields = ["name"]
    list_select_related = ["owner"]
    raw_id_fields = ["owner", "space", "dataset", "table", "best"]


@admin.register(Candidate)
class CandidateAdmin(admin.ModelAdmin):
    """Candidates."""

    list_display = ["id", "search", "number", "arch", "status", "score"]
    list_filter = ["status"]
    list_select_related = ["search"]
    raw_id_fields = ["search", "evaluation"]
    show_full_result_count = False


@admin.register(Training)
class TrainingAdmin(admin.ModelAdmin):
    """Full trainings."""

    list_display = ["id", "candidate", "status", "epoch", "epochs", "valid_accuracy", "created_at"]
    list_filter = ["status"]
    list_select_related = ["candidate"]
    raw_id_fields = ["candidate", "dataset"]


@admin.register(SearchSpace, Dataset, Table)
class SourceAdmin(admin.ModelAdmin):
    """Spaces, data sets, tables."""

    list_display = ["id", "name", "owner", "created_at"]
    list_select_related = ["owner"]


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin):
    """Worker processes."""

    list_display = ["name", "device", "current", "seen_at"]
    raw_id_fields = ["search"]
