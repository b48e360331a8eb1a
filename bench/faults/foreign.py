"""Customers who come in by the doors of foreign APIs. What they said is found in the log by its text: chats have other names there.

An API without client ids cannot tell a repeat, so what got no answer is not sent again: it may be stored once, or not at all.
"""

import asyncio
import contextlib
import uuid
from typing import Any

from chats.play.wire import Ended, Refusal

from .customers import MESSAGES, PAUSE
from .recording import Place, RestClient

TRIES = 30  # of what may be repeated


class ForeignCustomer(RestClient):
    """A chat that says some lines and ends."""

    def line(self, number: int) -> str:
        return f"{self.place.center['mark']} {self.name} {number} {uuid.uuid4().hex[:12]}"

    async def pause(self) -> None:
        await asyncio.sleep(self.place.chance.uniform(*PAUSE))


class GenesysCustomer(ForeignCustomer):
    """Through Genesys' door. That API knows no client id, so what got no answer is not sent again: it may be stored once, or not at all."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place, name, {"ContactCenterId": place.center["genesys"]["id"]})

    async def live(self) -> None:
        asked = {"operationName": "RequestChat", "nickname": self.name, "subject": "Faults"}
        path = (await self.insist("/api/v2/chats", asked))["path"]
        for number in range(self.place.chance.randint(*MESSAGES)):
            text = self.line(number)
            with contextlib.suppress(Ended, Refusal):
                await self.once("post", path, {"operationName": "SendMessage", "text": text}, {"text": text})
            await self.pause()
        await self._complete(path)

    async def _complete(self, path: str) -> None:
        """Until it is answered. A refusal means that the chat has ended: by the team's rules, or by a first try whose answer was lost."""
        while True:
            try:
                await self.call(path, {"operationName": "Complete"})
            except Refusal:
                return
            except Ended:
                await self.pause()
            else:
                return


class ComapiCustomer(ForeignCustomer):
    """A program of the Chat API, which writes in its customer's name. A start that got no answer is left to the team's rules."""

    def __init__(self, place: Place, name: str) -> None:
        self.space = place.center["comapi"]
        super().__init__(place, name, {"Authorization": f"Bearer {self.space['secret']}"})

    async def live(self) -> None:
        base = f"/apispaces/{self.space['id']}/chats"
        begun = {"name": "Faults", "channelId": "appMessaging", "teamId": self.space["team"]}
        with contextlib.suppress(Ended):
            path = f"{base}/{(await self.call(base, begun | {'participants': [{'id': self.name}]}))['id']}/messages"
            for number in range(self.place.chance.randint(*MESSAGES)):
                text = self.line(number)
                with contextlib.suppress(Ended):
                    await self.once("post", path, self._said(text), {"text": text})
                await self.pause()
            await self.call(path, self._said("bye"))
        await self.pause()

    def _said(self, text: str) -> dict[str, Any]:
        part = {"type": "text/plain", "data": text, "size": len(text)}
        return {"from": {"profileId": self.name}, "direction": "inbound", "parts": [part]}


class HyperCustomer(ForeignCustomer):
    """HyperChat, by a server that knows the secret. Its messages have client ids, so it says each until it is answered."""

    def __init__(self, place: Place, name: str) -> None:
        hyper = place.center["hyperchat"]
        super().__init__(place, name, {"x-hyper-appId": hyper["id"], "x-hyper-secret": hyper["secret"]})
        self.room = hyper["team"]

    async def live(self) -> None:
        user = (await self.insist("/v1/users", {"name": self.name}))["user"]["id"]
        with contextlib.suppress(Ended):
            chat = (await self.call("/v1/chats", {"room": self.room, "creator": user}))["chat"]["id"]
            for number in range(self.place.chance.randint(*MESSAGES)):
                await self._say(chat, user, self.line(number))
                await self.pause()
            await self._say(chat, user, "bye")
        await self.pause()

    async def _say(self, chat: str, user: str, text: str) -> None:
        body = {"sender": user, "chatId": chat, "message": text, "clientId": uuid.uuid4().hex}
        for _ in range(TRIES):
            with contextlib.suppress(Ended):
                await (self.call(f"/v1/chats/{chat}/messages", body) if text == "bye" else self._once(chat, body))
                return
            await self.pause()

    async def _once(self, chat: str, body: dict[str, Any]) -> None:
        value = {"text": body["message"], "client_id": body["clientId"]}
        await self.once("post", f"/v1/chats/{chat}/messages", body, value)
