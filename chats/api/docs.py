"""The schema and the page that shows it."""

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    """The schema is nobody's secret and asks no database."""

    authentication_classes = ()


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from our own host; its script has an address of its own, as the strict policy wants."""

    authentication_classes = ()
    template_name = "api/docs.html"
