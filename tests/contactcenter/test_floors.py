"""Imports go down only (import-linter keeps it); these tests keep the contract itself complete, and the tables too."""

import tomllib
from pathlib import Path

from django.apps import apps
from django.db.models import Field

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {"contactcenter": 0, "agents": 1, "chats": 2}


def test_every_module_of_the_lowest_package_stands_in_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(contract for contract in contracts if contract["id"] == "floors")
    named = {name.strip(" ()") for layer in floors["layers"] for name in layer.replace("|", ":").split(":")}
    found = {
        f"contactcenter.{path.stem}"
        for path in (ROOT / "contactcenter").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert found - named == set()


def test_no_table_points_up() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in FLOORS
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.is_relation and field.related_model
        if FLOORS.get(field.related_model._meta.app_label, 0) > FLOORS[model._meta.app_label]
    ]
    assert wrong == []


def test_the_lowest_package_imports_nothing_by_itself() -> None:
    code = (ROOT / "contactcenter/__init__.py").read_text()
    assert "import" not in code
