"""The ASGI application: pages and API over HTTP, doorbells over websockets."""

from __future__ import annotations

import gc
import os
from importlib import import_module

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nasweb.settings")
http = get_asgi_application()  # sets up Django before anything below imports a model

from nasweb.local_owner import LocalOwnerSocketMiddleware  # noqa: E402
from nasweb.prefix import under_prefix  # noqa: E402
from nasweb.static_files import with_static_files  # noqa: E402
from searches.routing import websocket_urlpatterns  # noqa: E402

websocket = AuthMiddlewareStack(LocalOwnerSocketMiddleware(URLRouter(websocket_urlpatterns)))
routed = ProtocolTypeRouter({"http": http, "websocket": AllowedHostsOriginValidator(websocket)})
application = under_prefix(with_static_files(routed))

import_module(settings.ROOT_URLCONF)  # imports all views now instead of at the first request
gc.freeze()  # imported objects stay, so garbage collections during requests need not visit them
