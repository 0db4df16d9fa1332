"""Pages of lists that stay right while rows are added, also in the order of a column with nulls.

A cursor is the sort key ``(value, id)`` of the row at the edge of a page. Nulls come last in both directions; the id
decides between equal values. So a page costs the same at any depth, and no row is lost or shown twice.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param


class KeysetPagination(BasePagination):
    """The pagination of views that name sortable columns in ``ordering_fields`` and the usual one in ``ordering``.

    The filtered rows give the ids of a page, and a second query reads the rows with these ids. If a view has
    ``unfiltered``, that query uses it, with all joins, so that the database does not apply the filter again.
    """

    page_size = 50
    max_page_size = 500

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page of ``?cursor=``; ValidationError names a faulty parameter."""
        self.url = request.build_absolute_uri()
        self.size = self._size(request)
        self.ordering = self._ordering(request, view)
        key, self.backwards = self._decode(request.query_params.get("cursor"))
        found = self._after(self._ordered(queryset), queryset, key).values_list("pk", flat=True)
        ids = list(found[: self.size + 1])
        more = len(ids) > self.size
        ids = ids[: self.size]
        by_id = getattr(view, "unfiltered", queryset).order_by().in_bulk(ids)
        rows = [by_id[pk] for pk in ids if pk in by_id]
        if self.backwards:
            rows.reverse()
        self.has_next = more if not self.backwards else bool(key)
        self.has_previous = more if self.backwards else bool(key)
        self.page = rows
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page; ``next`` and ``previous`` are addresses or null."""
        following = self._link(self.page[-1], False) if self.has_next and self.page else None
        before = self._link(self.page[0], True) if self.has_previous and self.page else None
        return Response({"next": following, "previous": before, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page for OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters of lists for OpenAPI."""
        fields = [sign + name for name in view.ordering_fields for sign in ("", "-")]
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            _parameter("cursor", "The page, as given in next and previous.", {"type": "string"}),
            _parameter("page_size", "Rows a page.", size),
            _parameter("ordering", "Column to sort by, nulls last.", {"type": "string", "enum": fields}),
        ]

    def _size(self, request: Request) -> int:
        text = request.query_params.get("page_size", str(self.page_size))
        if not text.isdecimal() or not 1 <= int(text) <= self.max_page_size:
            raise ValidationError({"page_size": f"Give a number from 1 to {self.max_page_size}."})
        return int(text)

    def _ordering(self, request: Request, view: Any) -> str:
        ordering = request.query_params.get("ordering") or view.ordering
        if ordering.removeprefix("-") not in view.ordering_fields:
            names = ", ".join(view.ordering_fields)
            raise ValidationError({"ordering": f"Choose one of {names}; a minus in front sorts downwards."})
        return str(ordering)

    def _ordered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        column = F(self.ordering.removeprefix("-"))
        if self.ordering.startswith("-") != self.backwards:
            value = column.desc(**self._nulls)
        else:
            value = column.asc(**self._nulls)
        return queryset.order_by(value, "-id" if self.backwards else "id")

    @property
    def _nulls(self) -> dict[str, bool]:
        return {"nulls_first": True} if self.backwards else {"nulls_last": True}

    def _after(self, ordered: QuerySet[Any], rows: QuerySet[Any], key: list[Any] | None) -> QuerySet[Any]:
        """Return the rows beyond the key in the direction of reading."""
        if key is None:
            return ordered
        name = self.ordering.removeprefix("-")
        value, pk = key
        tie = Q(**{"id__lt" if self.backwards else "id__gt": pk})
        if value is None:
            beyond = Q(**{f"{name}__isnull": True}) & tie
            if self.backwards:
                beyond |= Q(**{f"{name}__isnull": False})
        else:
            rising = self.ordering.startswith("-") == self.backwards
            beyond = Q(**{f"{name}__{'gt' if rising else 'lt'}": value}) | Q(**{name: value}) & tie
            if not self.backwards and rows.model._meta.get_field(name).null:
                beyond |= Q(**{f"{name}__isnull": True})
        try:
            return ordered.filter(beyond)
        except (TypeError, ValueError, DjangoValidationError) as error:
            raise _bad_cursor() from error

    def _link(self, row: Model, backwards: bool) -> str:
        name = self.ordering.removeprefix("-")
        content = json.dumps([self.ordering, getattr(row, name), row.pk, backwards], default=str)
        url = remove_query_param(self.url, "cursor")
        return replace_query_param(url, "cursor", base64.urlsafe_b64encode(content.encode()).decode())

    def _decode(self, cursor: str | None) -> tuple[list[Any] | None, bool]:
        if not cursor:
            return None, False
        try:
            ordering, value, pk, backwards = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            plain = isinstance(pk, int) and isinstance(value, str | int | float | None)
        except (ValueError, TypeError) as error:
            raise _bad_cursor() from error
        if ordering != self.ordering or not plain:
            raise _bad_cursor()
        return [value, pk], bool(backwards)


def _bad_cursor() -> ValidationError:
    return ValidationError({"cursor": "The cursor does not belong to this list; begin again without it."})


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
