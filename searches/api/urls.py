"""Addresses under ``/api/v1/``."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from searches.api import catalogue, comparisons, plots, results, tabular
from searches.api.candidates import CandidateViewSet
from searches.api.exports import FrontDownload
from searches.api.latencies import LatencyTableViewSet
from searches.api.schema import SchemaView
from searches.api.searches import SearchViewSet
from searches.api.sources import DatasetViewSet, SpaceViewSet, TableViewSet
from searches.api.studies import StudyViewSet, Trust
from searches.api.trainings import Recipes, TrainedGroups, TrainingViewSet

router = SimpleRouter(use_regex_path=False)
router.register("searches", SearchViewSet)
router.register("candidates", CandidateViewSet)
router.register("spaces", SpaceViewSet, basename="space")
router.register("datasets", DatasetViewSet)
router.register("tables", TableViewSet)
router.register("trainings", TrainingViewSet)
router.register("studies", StudyViewSet)
router.register("latency-tables", LatencyTableViewSet, basename="latencytable")

of_search = [
    path("candidates/", results.CandidateList.as_view(), name="search-candidates"),
    path("plot/", plots.Plot.as_view(), name="search-plot"),
    path("history/", plots.History.as_view(), name="search-history"),
    path("budget/", plots.BestAtCost.as_view(), name="search-budget"),
    path("points/", results.Points.as_view(), name="search-points"),
    path("buckets/", results.Buckets.as_view(), name="search-buckets"),
    path("pareto/", results.Front.as_view(), name="search-pareto"),
    path("events/", results.Events.as_view(), name="search-events"),
    path("front/download/", FrontDownload.as_view(), name="search-front-download"),
    path("trust/", Trust.as_view(), name="search-trust"),
    path("trained/", TrainedGroups.as_view(), name="search-trained"),
    path("export/", results.Export.as_view(), name="search-export"),
]

urlpatterns = [
    path("searches/<int:search_id>/", include(of_search)),
    path("candidates/<int:pk>/drawing.svg", CandidateViewSet.as_view({"get": "drawing"}), name="candidate-drawing"),
    path("comparisons/", comparisons.Comparison.as_view(), name="comparisons"),
    path("algorithms/", catalogue.Algorithms.as_view(), name="algorithms"),
    path("estimators/", catalogue.Estimators.as_view(), name="estimators"),
    path("space-kinds/", catalogue.SpaceKinds.as_view(), name="space-kinds"),
    path("recipes/", Recipes.as_view(), name="recipes"),
    path("benchmarks/", tabular.TabularFiles.as_view(), name="benchmarks"),
    path("benchmarks/<str:name>/", tabular.TabularFile.as_view(), name="benchmark"),
    path("workers/", catalogue.Workers.as_view(), name="workers"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    *router.urls,
]
