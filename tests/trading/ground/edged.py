"""A small application behind the edge, for tests of HTTP."""

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from trading.ground.http import UPLOADS, Edge, install_handlers, worker_csp
from trading.ground.idempotency import Idempotency
from trading.ground.problems import Conflict, Gone, TooMany, Unauthenticated

AUTH = {"authorization": "Bearer abc"}


def protect(app, database, clock, origins=()):
    """The edge and the idempotency keys as `main` composes them, but for the gate."""
    install_handlers(app, clock)
    return Edge(Idempotency(app, database, clock, exempt=(UPLOADS,)), clock, origins)


class Act(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    amount: str


def small_app(acts):
    """A centre of a few routes; `acts` gathers what they did."""
    app = FastAPI()

    @app.post("/acts")
    async def act(request: Request, body: Act):
        acts.append(body.amount)
        return {"arrival": request.state.arrival, "number": len(acts)}

    @app.get("/stamp")
    async def stamp(request: Request):
        return request.state.arrival

    @app.post("/raw")
    async def raw(request: Request):
        return len(await request.body())

    @app.patch("/api/v1/uploads/{upload}")
    async def patch(request: Request, upload: str):
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return {"size": size, "arrival": request.state.arrival}

    @app.post("/refuse/{how}")
    async def refuse(how: str):
        acts.append(how)
        raise {
            "gone": Gone("bid-deadline-passed", "投标截止时间已过", "Late.", rule="§3"),
            "login": Unauthenticated("login", "请登录"),
            "often": TooMany("often", "请稍后"),
            "bug": KeyError("secret 48650000.00"),
        }[how]

    @app.get("/worker")
    async def worker():
        return HTMLResponse("", headers={"content-security-policy": worker_csp("worker-url")})

    @app.websocket("/live")
    async def live(websocket: WebSocket, how: str = ""):
        if how == "early":
            raise Conflict("too-early", "尚未开始")
        await websocket.accept()
        if how == "late":
            raise Conflict("too-late", "已经结束")
        if how == "bug":
            raise KeyError
        await websocket.send_text("hello")

    return app
