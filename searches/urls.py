"""Every address of the house: pages and the REST API."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from searches.views import create, inspecting, latencies, results, sources, studies, trainings

pages = [
    path("", results.search_list, name="searches"),
    path("searches/", RedirectView.as_view(pattern_name="searches", query_string=True)),
    path("searches/new/", create.new_search, name="search-new"),
    path("searches/new/check/", create.check, name="search-check"),
    path("searches/new/trial/", create.trial, name="search-trial"),
    path("searches/new/fields/", create.fields, name="search-fields"),
    path("searches/examples/<slug:slug>/", create.start_example, name="search-example"),
    path("searches/<int:search_id>/", results.search_detail, name="search"),
    path("studies/", studies.study_list, name="studies"),
    path("studies/<int:study_id>/", studies.study_detail, name="study"),
    path("compare/", results.compare, name="compare"),
    path("candidates/<int:candidate_id>/against/", results.candidate_against, name="candidate-against"),
    path("candidates/<int:candidate_id>/against/<int:other_id>/", results.candidate_difference, name="difference"),
    path("candidates/<int:candidate_id>/", results.candidate_detail, name="candidate"),
    path("trainings/", trainings.training_list, name="trainings"),
    path("trainings/<int:training_id>/", trainings.training_detail, name="training"),
    path("datasets/", sources.source_list, {"room": "datasets"}, name="datasets"),
    path("tables/", sources.source_list, {"room": "tables"}, name="tables"),
    path("spaces/", sources.source_list, {"room": "spaces"}, name="spaces"),
    path("datasets/digits/", inspecting.digits_detail, name="digits"),
    path("datasets/digits/sample.png", inspecting.digits_sample, name="digits-sample"),
    path("datasets/<int:row_id>/", inspecting.dataset_detail, name="dataset"),
    path("datasets/<int:row_id>/sample.png", inspecting.dataset_sample, name="class-sample"),
    path("tables/<int:row_id>/", inspecting.table_detail, name="table"),
    path("tables/benchmarks/<slug:name>/<str:action>/", inspecting.benchmark_act, name="benchmark-act"),
    path("spaces/check/", inspecting.space_check, name="definition-check"),
    path("spaces/drawing.svg", inspecting.space_drawing, name="space-picture"),
    path("spaces/<int:row_id>/", inspecting.space_detail, name="space"),
    path("latency/", latencies.latency_list, name="latency-tables"),
    path("latency/rows/", latencies.latency_rows, name="latency-rows"),
    path("latency/<int:row_id>/", latencies.latency_detail, name="latency-table"),
    path("latency/<int:row_id>/cancel/", latencies.latency_cancel, name="latency-cancel"),
    path("latency/<int:row_id>/delete/", latencies.latency_delete, name="latency-delete"),
    path("searches/new/latency/", latencies.latency_for_search, name="latency-for-search"),
    path(
        "searches/new/latency/<int:row_id>/",
        latencies.latency_for_search_progress,
        name="latency-for-search-progress",
    ),
    path("datasets/<int:row_id>/delete/", sources.source_delete, {"room": "datasets"}, name="dataset-delete"),
    path("tables/<int:row_id>/delete/", sources.source_delete, {"room": "tables"}, name="table-delete"),
    path("spaces/<int:row_id>/delete/", sources.source_delete, {"room": "spaces"}, name="space-delete"),
]
urlpatterns = [*pages, path("api/v1/", include("searches.api.urls"))]
