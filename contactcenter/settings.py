"""All settings. Every variable of the environment is read here, once; .env.example lists them."""

import secrets
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from contactcenter import environment as env
from contactcenter.administration.look import CENTER_ADMIN, OPERATOR_ADMIN
from contactcenter.logs import configure_structlog, logging_settings
from contactcenter.release import static_revision

# Where things are -----------------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG = env.flag("DEBUG")
TESTING = env.is_testing()
BASE_URL = env.web_url("BASE_URL", "http://127.0.0.1:8000")
REDIS_URL = env.redis_url("REDIS_URL")
# One process with everything inside; nothing else tells the two ways to run apart.
EMBEDDED = not REDIS_URL
IS_SECURE = BASE_URL.startswith("https://")

# Secrets --------------------------------------------------------------------------------------------------------------

# Several machines must share them, so only a single process may make its own.
SECRET_KEY = env.secret(
    "SECRET_KEY", DATA_DIR / "secret.key", make=(lambda: secrets.token_urlsafe(64)) if EMBEDDED else None
)
FIELD_KEYS = env.secret(
    "FIELD_KEYS", DATA_DIR / "field.keys", make=(lambda: Fernet.generate_key().decode()) if EMBEDDED else None
).split(",")

# Who may talk to us ---------------------------------------------------------------------------------------------------

_base_host = urlsplit(BASE_URL).hostname or "127.0.0.1"
ALLOWED_HOSTS = [*dict.fromkeys([_base_host, "127.0.0.1", "localhost", "[::1]", *env.listing("ALLOWED_HOSTS")])]
CSRF_TRUSTED_ORIGINS = [*dict.fromkeys([BASE_URL, *env.listing("CSRF_TRUSTED_ORIGINS")])]
# The scheme and the client's address come from uvicorn, which believes these proxies only; Django believes no header.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", "127.0.0.1")
METRICS_ALLOWED = env.networks("METRICS_ALLOWED", "127.0.0.1/32,::1/128")
METRICS_TOKEN = env.text("METRICS_TOKEN")
# Web hooks are called in the open internet only, and in these networks.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", "")
# How the ids of this process's Socket.IO sessions begin: its own among several, so that their polls find it.
SERVER_MARK = env.word("SERVER_MARK")
DEMO_SITE = env.flag("DEMO_SITE", default=EMBEDDED)  # the shop below /demo/ that shows the widget
# Meant by a request without any hint; with the demo that is the shop's center, of its short name.
DEFAULT_CONTACT_CENTER = env.text("DEFAULT_CONTACT_CENTER", "acme" if DEMO_SITE else "")

# Applications ---------------------------------------------------------------------------------------------------------

ROOT_URLCONF = "contactcenter.urls"
ASGI_APPLICATION = "contactcenter.asgi.application"
AUTH_USER_MODEL = "contactcenter.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    "contactcenter",
    "agents",
    "chats",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "contactcenter.headers.Headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "contactcenter.programs.Sessions",
    "contactcenter.programs.Languages",
    "contactcenter.programs.Common",
    "django.middleware.csrf.CsrfViewMiddleware",
    "contactcenter.programs.People",
    "contactcenter.programs.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]

# Where rows, hints and tasks live -------------------------------------------------------------------------------------

_pool = {"pool_max": env.number("DATABASE_POOL_MAX", 24), "pool_idle": env.number("DATABASE_POOL_IDLE", 300)}
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR, **_pool)}

CACHES = {
    "default": {"BACKEND": "contactcenter.cache.SharedCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "cache"}
    if REDIS_URL
    else {"BACKEND": "contactcenter.cache.MemoryCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
}
SESSION_ENGINE = "contactcenter.sessions"

CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

CELERY_BROKER_URL = env.redis_url("CELERY_BROKER_URL", REDIS_URL) or "memory://localhost/"
# Whoever publishes a task asks this app; the floors below contactcenter.celery do not import it.
CELERY_APP = "contactcenter.celery.app"

HTTP_THREADS = env.number("HTTP_THREADS", 8, high=200)
DATA_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024  # the edge has the real limits, by path
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# Mail -----------------------------------------------------------------------------------------------------------------

globals().update(env.email("EMAIL_URL", DATA_DIR))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Contact center <noreply@{_base_host}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Languages and times --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Files ----------------------------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024
MEDIA_URL = "/media/"  # never routed: uploads leave through views that decide who may read
RELEASE = env.text("RELEASE") or static_revision(
    [BASE_DIR / app / "static" for app in ("contactcenter", "agents", "chats")],
    "".join(version(package) for package in ("Django", "django-unfold", "drf-spectacular-sidecar")),
)
STATIC_URL = f"/static/{RELEASE}/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Unhashed names: hashed ones break the imports between ES modules. The path carries the release instead.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG or TESTING
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600


def WHITENOISE_IMMUTABLE_FILE_TEST(path: str, url: str) -> bool:
    """Everything below the release's path may be kept for ever."""
    return not DEBUG and url.startswith(STATIC_URL)


# Signing in -----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = "/desk/"
LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_ADAPTER = "contactcenter.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_SECURE else "http"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Administrators without a second factor are sent to set one up. Offered, not demanded, where somebody only tries it out.
REQUIRE_ADMIN_MFA = env.flag("REQUIRE_ADMIN_MFA", default=not (DEBUG or EMBEDDED or TESTING))
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = _base_host
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_SECURE

# The admins (contactcenter/administration) --------------------------------------------------------------------------

UNFOLD = CENTER_ADMIN
UNFOLD_OPERATOR = OPERATOR_ADMIN

# Cookies and headers --------------------------------------------------------------------------------------------------

_cookie = "__Host-" if IS_SECURE else ""
SESSION_COOKIE_NAME = f"{_cookie}session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = f"{_cookie}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_cookie}language"

SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # The nonce stands for one import map per page; it is sent only where a template asks for it.
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# The admin's own library evaluates expressions and styles elements from attributes.
CSP_ADMIN_PREFIXES = ("/admin/", "/operator/")
CSP_ADMIN_DIRECTIVES = {
    "script-src": [SELF, NONCE, "'unsafe-eval'"],
    "style-src": [SELF, "'unsafe-inline'"],
}

# REST -----------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chats.doors.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "chats.api.principals.BearerAuthentication",
        "chats.api.principals.ApplicationPasswordAuthentication",
        "chats.api.principals.PublicKeyAuthentication",
        "chats.api.principals.SeatSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a transcript's own word
    "DEFAULT_SCHEMA_CLASS": "chats.api.schema.Operation",
    "EXCEPTION_HANDLER": "chats.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Contact center API",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["chats.api.schema.tell_refusals"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
ANONYMOUS_RATE = env.number("ANONYMOUS_RATE", 600, high=1_000_000)  # requests a minute without a session, by address

# Logs -----------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOG_FORMAT = env.choice("LOG_FORMAT", "console" if DEBUG else "json", ["json", "console"])
LOGGING = logging_settings(level=LOG_LEVEL, style=LOG_FORMAT)
configure_structlog()
