"""The schema and the page that shows it."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class OwnRoutes(EndpointEnumerator):  # type: ignore[misc]
    """Foreign APIs describe themselves."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        return path.startswith("/api/v1/") and bool(super().should_include_endpoint(path, callback))


class OwnGenerator(SchemaGenerator):  # type: ignore[misc]
    endpoint_inspector_cls = OwnRoutes


class Schema(SpectacularAPIView):
    """The schema is nobody's secret and asks no database."""

    authentication_classes = ()
    generator_class = OwnGenerator


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own host; its script has an address of its own, as the strict policy wants."""

    authentication_classes = ()
    template_name = "api/docs.html"
