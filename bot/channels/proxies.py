"""Who is behind a request: our own reverse proxies are believed about it, nobody else."""

from __future__ import annotations

from collections.abc import Collection

from sanic.request import Request


def client_of(request: Request, proxies: Collection[str]) -> tuple[str, str]:
    """The client's address and the scheme that it used.

    Args:
        proxies: addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """
    if request.ip not in proxies:
        return request.ip, request.scheme if request.scheme in ("http", "https") else "http"
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    client = next((hop for hop in reversed(hops) if hop not in proxies), request.ip)
    return client, "https" if request.headers.get("x-forwarded-proto", "").lower() == "https" else "http"
