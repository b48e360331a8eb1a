"""What tests of several doors share."""

from collections.abc import AsyncIterator

import pytest


@pytest.fixture
async def served(transactional_db: None) -> AsyncIterator[None]:
    """What a server runs beside its doors."""
    from chats.sockets import service

    async with service.running():
        yield
