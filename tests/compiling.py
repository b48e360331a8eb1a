"""What the ORM has compiled into SQL: a millisecond each, which the hot path spares (contactcenter.prepared, chats.models.hot)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.models.sql import compiler

COMPILERS = (compiler.SQLCompiler, compiler.SQLInsertCompiler, compiler.SQLUpdateCompiler, compiler.SQLDeleteCompiler)


@contextmanager
def compiled() -> Iterator[list[str]]:
    """The texts that are compiled meanwhile."""
    texts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in COMPILERS:
            patch.setattr(kind, "as_sql", _noted(kind.as_sql, texts))
        yield texts


def _noted(as_sql: Any, texts: list[str]) -> Any:
    def noting(self: Any, *args: Any, **options: Any) -> Any:
        found = as_sql(self, *args, **options)
        texts.append(str(found)[:200])
        return found

    return noting
