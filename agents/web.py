"""/healthz, /readyz and /metrics, on loopback unless told otherwise. Faust's own web server stays off."""

from typing import Any, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

from agents import log
from agents.settings import Settings

_log = log.get("mindgap.web")


class Watched(Protocol):
    """What the web server looks at: the worker's app."""

    partitions: Any
    consumer: Any
    in_recovery: bool
    rebalancing: bool

    @property
    def is_ready(self) -> bool:
        """Its partitions are recovered and worked on."""
        ...


class Web:
    """A small server: health of the process, readiness of the worker, metrics."""

    def __init__(self, settings: Settings, app: Watched) -> None:
        self._settings = settings
        self._app = app
        self._runner: web.AppRunner | None = None
        self.port: int | None = None
        """The port in use; None while it does not run."""

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        if not self._settings.web_enabled:
            return
        server = web.Application()
        server.add_routes(
            [
                web.get("/healthz", self._health),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(server, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.web_host, self._settings.web_port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        _log.info("web_listening", host=self._settings.web_host, port=self.port)

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self.port = None

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        reasons = self._not_ready()
        answer = {"ready": not reasons, "reasons": reasons, "first_start": self._app.partitions.in_backlog()}
        return web.json_response(answer, status=503 if reasons else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        registry: CollectorRegistry = self._app.partitions.metrics.registry
        return web.Response(
            body=exposition.generate_latest(registry), headers={"Content-Type": exposition.CONTENT_TYPE_LATEST}
        )

    def _not_ready(self) -> list[str]:
        app = self._app
        if not app.is_ready:
            return ["recovering" if app.in_recovery else "waiting for partitions"]
        reasons = []
        if not app.consumer.lease.is_valid():
            reasons.append("the broker has not confirmed the membership in time")
        if beginning := app.partitions.beginning():
            reasons.append(f"partitions begin: {', '.join(map(str, beginning))}")
        if stalled := app.partitions.stalled():
            reasons.append(f"stalled partitions: {', '.join(map(str, stalled))}")
        return reasons
