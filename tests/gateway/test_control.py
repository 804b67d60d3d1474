from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest

from suffice.gateway.control import MAX_BODY_BYTES, ControlPlane

SECRET = "a-long-control-secret"


@asynccontextmanager
async def plane(secret: str = "", ready: bool = True, swapped: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    async def reload() -> dict[str, Any]:
        return {"swapped": swapped, "problems": [] if swapped else ["suffice.toml:3: bad"]}

    control = ControlPlane(
        secret=secret,
        ready=lambda: {"ready": ready, "why": []},
        metrics=lambda: b"suffice_x 1\n",
        story=lambda request_id: {"request_id": request_id} if request_id == "r1" else None,
        reload=reload,
        models=lambda: [{"id": "m"}],
        own_tasks=lambda body: {"bytes": len(body)},
    )
    transport = httpx.ASGITransport(app=control.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        yield client


ROUTES = [("GET", "/metrics"), ("GET", "/explain/r1"), ("GET", "/models"), ("POST", "/reload"), ("POST", "/own-tasks")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", f"Basic {SECRET}", f"bearer {SECRET} x"])
async def test_every_route_but_health_needs_the_secret(method: str, path: str, sent: str):
    async with plane(SECRET) as client:
        answer = await client.request(method, path, headers={"authorization": sent} if sent else {})
        assert answer.status_code == 401
        assert SECRET not in answer.text
        assert (await client.request(method, path, headers={"authorization": f"Bearer {SECRET}"})).status_code == 200
        assert (await client.get("/health")).text == "ok\n"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_secret_web_pages_are_refused(method: str, path: str):
    async with plane() as client:
        assert (await client.request(method, path, headers={"origin": "https://evil"})).status_code == 403
        assert (await client.request(method, path)).status_code == 200


async def test_what_is_not_ready_says_so():
    async with plane(ready=False) as client:
        assert (await client.get("/ready")).status_code == 503


async def test_an_unknown_request_is_a_404_and_a_bad_reload_a_422():
    async with plane(swapped=False) as client:
        assert (await client.get("/explain/r2")).status_code == 404
        told = await client.post("/reload")
        assert (told.status_code, told.json()["problems"]) == (422, ["suffice.toml:3: bad"])
        assert (await client.get("/reload")).status_code == 405


async def test_results_are_taken_up_to_a_size():
    async with plane() as client:
        assert (await client.post("/own-tasks", content=b"x" * 1000)).json() == {"bytes": 1000}
        assert (await client.post("/own-tasks", content=b"x" * (MAX_BODY_BYTES + 1))).status_code == 413
