"""Settings refuse what they cannot use, in a sentence, and invent no secret that others would have to share."""

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from contactcenter import environment as env

ROOT = Path(__file__).resolve().parents[2]


def load(data: Path, show: str = "1", **variables: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own and print an expression over them."""
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(data), **variables}
    code = f"import contactcenter.settings as s; print(({show}))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean, capture_output=True, text=True)


def test_embedded_start_makes_its_secrets_once_for_its_eyes_only(tmp_path: Path) -> None:
    first = load(tmp_path, "s.SECRET_KEY, s.FIELD_KEYS")
    again = load(tmp_path, "s.SECRET_KEY, s.FIELD_KEYS")
    assert first.stdout == again.stdout
    assert len(first.stdout) > 100
    for name in ("secret.key", "field.keys"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_two_that_start_together_share_one_secret(tmp_path: Path) -> None:
    found: list[str] = []
    makers = iter(range(20))

    def work() -> None:
        found.append(env.secret("NO_SUCH_VARIABLE", tmp_path / "secret.key", make=lambda: f"secret {next(makers)}"))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_services_without_a_secret_refuse_to_start(tmp_path: Path) -> None:
    done = load(tmp_path, REDIS_URL="redis://127.0.0.1:6379/0")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    done = load(tmp_path, REDIS_URL="redis://127.0.0.1:6379/0", SECRET_KEY="x" * 50)
    assert "FIELD_KEYS is not set" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch()
    assert "is empty" in load(tmp_path).stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("BASE_URL", "chat.example.com"),
        ("BASE_URL", "https://chat.example.com/path"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("REDIS_URL", "http://localhost"),
        ("EMAIL_URL", "imap://localhost"),
        ("HTTP_THREADS", "0"),
        ("HTTP_THREADS", "many"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("TRUSTED_PROXIES", "everyone"),
        ("METRICS_ALLOWED", "10.0.0.0/99"),
    ],
)
def test_value_that_cannot_be_used_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    done = load(tmp_path, **{name: value})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}" in done.stderr


def test_https_hardens_cookies(tmp_path: Path) -> None:
    shown = "s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_NAME, s.SECURE_HSTS_SECONDS > 0"
    done = load(tmp_path, shown, BASE_URL="https://chat.example.com")
    assert done.stdout.strip() == "('__Host-session', True, '__Host-csrftoken', True)"
    done = load(tmp_path, shown)
    assert done.stdout.strip() == "('session', False, 'csrftoken', False)"


def test_hosts_and_origins_follow_from_the_base_url(tmp_path: Path) -> None:
    shown = "s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS"
    done = load(tmp_path, shown, BASE_URL="https://chat.example.com", ALLOWED_HOSTS="web1, web2")
    assert "'chat.example.com', '127.0.0.1', 'localhost', '[::1]', 'web1', 'web2'" in done.stdout
    assert "['https://chat.example.com']" in done.stdout


def test_postgres_gets_a_pool_and_no_kept_connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_URL", "postgres://u:p@db:5433/chat?sslmode=require")
    found = env.database("SOME_URL", tmp_path, pool_max=7, pool_idle=60)
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert found["CONN_MAX_AGE"] == 0
    assert found["CONN_HEALTH_CHECKS"] is True
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] == 7
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", 5433, "chat")


def test_mail_goes_to_files_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MAIL", raising=False)
    assert env.email("MAIL", tmp_path)["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    monkeypatch.setenv("MAIL", "smtp://mia%40example.com:p%2Fw@mail:587?tls=1")
    found = env.email("MAIL", tmp_path)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (
        "mail",
        587,
        True,
        False,
    )
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("mia@example.com", "p/w")
    assert found["EMAIL_TIMEOUT"] == 10


def test_every_variable_of_the_settings_is_told_in_the_example() -> None:
    code = (ROOT / "contactcenter/settings.py").read_text()
    told = (ROOT / ".env.example").read_text()
    names = re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", code)
    assert len(names) > 15
    assert [name for name in names if f"{name}=" not in told] == []


def test_refusal_names_the_variable() -> None:
    with pytest.raises(ImproperlyConfigured, match="NO_SUCH"):
        env.choice("NO_SUCH", "c", ["a", "b"])


def test_a_word_has_letters_and_digits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.word("NO_SUCH") == ""
    monkeypatch.setenv("MARK", "web1")
    assert env.word("MARK") == "web1"
    for odd in ("web-1", "web.1", "wéb", "a b"):
        monkeypatch.setenv("MARK", odd)
        with pytest.raises(ImproperlyConfigured, match="MARK"):
            env.word("MARK")
