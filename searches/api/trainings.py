"""The views that start, show and control full trainings, and compare them with the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.config.training import RECIPES, TrainingConfig
from searches.api.base import UnderSearch
from searches.api.filters import ChoicesFilter
from searches.api.pagination import KeysetPagination
from searches.api.serializers.trainings import (
    NewTrainingsSerializer,
    RecipeSerializer,
    TrainedGroupSerializer,
    TrainingDetailSerializer,
    TrainingSerializer,
)
from searches.models import Candidate, Training
from searches.selectors import candidates, searches
from searches.selectors import trainings as selector
from searches.services import trainings


class TrainingFilter(filters.FilterSet):
    """Filters by state, candidate and search."""

    status = ChoicesFilter(choices=Training.Status.choices, lookup_expr="in")
    candidate = filters.NumberFilter(field_name="candidate_id")
    search = filters.NumberFilter(field_name="candidate__search_id")

    class Meta:
        model = Training
        fields = ["status", "candidate", "search"]


class TrainingViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Full trainings of the user's candidates."""

    queryset = Training.objects.none()
    lookup_value_converter = "int"
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = TrainingFilter
    pagination_class = KeysetPagination
    ordering = "-id"
    ordering_fields = ["id", "created_at", "finished_at", "valid_accuracy", "test_accuracy"]

    def get_queryset(self) -> QuerySet[Training]:
        """Return the user's own trainings; others are not found."""
        return selector.owned(self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """Return the serializer; lists leave the curves out."""
        return TrainingSerializer if self.action == "list" else TrainingDetailSerializer

    @extend_schema(
        summary="Train networks in full",
        request=NewTrainingsSerializer,
        responses={201: TrainingSerializer(many=True)},
    )
    def create(self, request: Request) -> Response:
        """Start one training per candidate. A training that exists is returned, and resumed if it had ended early."""
        if not isinstance(request.data, Mapping):
            raise ValidationError({"candidates": "The body must be an object with the field candidates or search."})
        body = NewTrainingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        config = TrainingConfig.parse(body.config())
        made = trainings.create(request.user, self._chosen(body.validated_data), config)
        return Response(TrainingSerializer(made, many=True).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Cancel", request=None, responses=TrainingDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the training within seconds; its checkpoint stays."""
        return self._changed(trainings.cancel)

    @extend_schema(summary="Resume", request=None, responses=TrainingDetailSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Continue from the checkpoint after a cancel or a failure."""
        return self._changed(trainings.resume)

    @extend_schema(summary="Delete", request=None, responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the training with its checkpoint and weights."""
        trainings.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _changed(self, act: Any) -> Response:
        act(self.get_object())
        return Response(TrainingDetailSerializer(self.get_object()).data)

    def _chosen(self, body: Mapping[str, Any]) -> list[Candidate]:
        if ("candidates" in body) == ("search" in body):
            raise ValidationError({"candidates": "Name candidates, or a search with select."})
        if "search" in body:
            search = get_object_or_404(searches.owned(self.request.user), pk=body["search"])
            return trainings.selected(search, body.get("select", "front"))
        wanted = list(dict.fromkeys(body["candidates"]))
        found = candidates.detailed(self.request.user).in_bulk(wanted)
        missing = [pk for pk in wanted if pk not in found]
        if missing:
            raise ValidationError({"candidates": f"You have no candidate {missing[0]}."})
        return [found[pk] for pk in wanted]


class TrainedGroups(UnderSearch):
    """The estimate compared with full trainings."""

    @extend_schema(summary="Estimate against full trainings", responses=TrainedGroupSerializer(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return, by recipe and data, the rank correlation and the pairs that the estimate ordered wrongly."""
        return Response(TrainedGroupSerializer(selector.groups(self.parent), many=True).data)


class Recipes(APIView):
    """The recipes of full trainings."""

    @extend_schema(summary="Recipes of full trainings", responses=RecipeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the recipes in the order of the form."""
        rows = [{"name": name, **recipe.model_dump()} for name, recipe in RECIPES.items()]
        return Response(RecipeSerializer(rows, many=True).data)
