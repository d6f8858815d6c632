"""Signing in to an OData service: a name and password, or OAuth 2 with client credentials."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode, urlsplit

from erp_bridge.connectors.http import Http, HttpError, open_http


class NamePassword:
    """The account's own name and password, with every request."""

    def __init__(self, user: str, password: str) -> None:
        written = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {written}"}

    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        return self._headers

    def renew(self) -> bool:
        """A password that was refused stays refused."""
        return False

    def close(self) -> None:
        """There is no connection of its own."""


class ClientCredentials:
    """A token for a while, asked for with the client's id and secret, and asked for anew once refused."""

    def __init__(self, settings: dict[str, Any]) -> None:
        parts = urlsplit(settings["token_url"])
        self._path = parts.path or "/"
        self._http: Http = open_http(
            settings | {"base_url": f"{parts.scheme}://{parts.netloc}"},
            account=settings["client_id"],
        )
        asked = {
            "grant_type": "client_credentials",
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
        }
        if settings["scope"]:
            asked["scope"] = settings["scope"]
        self._asked = urlencode(asked).encode()
        self._token: str | None = None

    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        if self._token is None:
            self._token = self._fetched()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Forget the token, so that the next request brings a new one."""
        self._token = None
        return True

    def close(self) -> None:
        """Let go of the connection to the token's server."""
        self._http.close()

    def _fetched(self) -> str:
        answer = self._http.ask(
            "POST",
            self._path,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=self._asked,
            accept={400},
        )
        token = answer.json().get("access_token") if answer.status < 400 else None
        if not isinstance(token, str):
            raise HttpError("erp.sign_in_refused", self._path, answer.status)
        return token


SignIn = NamePassword | ClientCredentials


def sign_in_of(settings: dict[str, Any]) -> SignIn:
    """The way of signing in that the settings name."""
    if settings["auth"] == "oauth2":
        return ClientCredentials(settings)
    return NamePassword(settings["user"], settings["password"])
