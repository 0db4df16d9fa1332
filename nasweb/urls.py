"""The root of the URLs."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from nasweb.health import healthz
from nasweb.sign_in import Token

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz/", healthz),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("api/v1/token/", Token.as_view(), name="token"),
    path("", include("searches.urls")),
]

handler400 = "searches.api.problems.bad_request"
handler404 = "searches.api.problems.not_found"
handler500 = "searches.api.problems.server_error"
