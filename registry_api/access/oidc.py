"""Let people in whom an OpenID Connect identity provider vouches for: a signed JWT as bearer token.

Only asymmetric signatures are known, the key has to be one of the provider's and of the kind that the algorithm needs,
and issuer, audience and times have to fit. When the provider's keys cannot be had, nobody is let in: 503, never open.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from festaf.registry_api.errors import SetupError, UnauthenticatedError, UnavailableError

log = logging.getLogger(__name__)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""The algorithms that can be allowed; all of them sign with a key that the registry does not have."""
FRESH = timedelta(minutes=5)
"""How long keys are used before they are asked for again."""
USABLE = timedelta(hours=1)
"""How long keys are used when the provider cannot be reached."""
REFETCH = timedelta(seconds=10)
"""How often keys are asked for at most, whatever tokens come."""
MAX_ANSWER = 1024 * 1024
FETCH_SECONDS = 3.0


@dataclass(frozen=True)
class OidcSettings:
    """Which identity provider vouches for people, and which of its claims are read."""

    issuer: str
    audience: str
    jwks_url: str | None = None
    """Where the keys are; None to ask ``<issuer>/.well-known/openid-configuration``."""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    user_claim: str = "email"
    """The claim that names a user principal. ``email`` counts only with ``email_verified``."""
    groups_claim: str = "groups"
    leeway: float = 60.0
    """How far clocks may differ, in seconds."""

    def __post_init__(self) -> None:
        """Refuse settings that would let strangers in.

        :raises SetupError: an algorithm is none that can be trusted, or an address is neither https nor local
        """
        wrong = sorted(set(self.algorithms) - set(ALGORITHMS))
        if wrong or not self.algorithms:
            raise SetupError(f"OIDC algorithms are among {', '.join(ALGORITHMS)}; not {', '.join(wrong) or 'none'}")
        if not self.audience:
            raise SetupError("OIDC needs an audience: a token that was made for another service must not count here")
        for url in (self.issuer, self.jwks_url):
            if url is not None and not _is_safe(url):
                raise SetupError(f"the OIDC address {url!r} has to begin with https://")


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for."""

    name: str
    groups: frozenset[str] = frozenset()


@dataclass
class Keys:
    """The provider's keys, and when they were had and asked for."""

    keys: tuple[jwt.PyJWK, ...] = ()
    had_at: datetime | None = None
    asked_at: datetime | None = None
    failed: bool = False
    lock: Lock = field(default_factory=Lock)


class IdentityProvider:
    """Verifies tokens of one provider."""

    def __init__(self, settings: OidcSettings, client: httpx.Client | None = None) -> None:
        self.settings = settings
        self.client = client or httpx.Client(timeout=FETCH_SECONDS, follow_redirects=False)
        self.known = Keys()

    def close(self) -> None:
        """Close the connections to the provider."""
        self.client.close()

    def verify(self, token: str, now: datetime) -> Person:
        """Tell who the token's holder is.

        :raises UnauthenticatedError: it is not one of the provider's for us, or not valid now
        :raises UnavailableError: the provider's keys cannot be had
        """
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(header, now)
            claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                leeway=self.settings.leeway,
                options={"require": ["exp", "iss", "aud"], "verify_exp": True, "verify_nbf": True, "verify_iat": True},
            )
        except jwt.PyJWTError as error:
            log.info("A token of the identity provider was refused: %s", error)
            raise UnauthenticatedError("the token is none that the identity provider vouches for now") from error
        return self._person(claims)

    def _person(self, claims: Mapping[str, Any]) -> Person:
        name = claims.get(self.settings.user_claim)
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 200:
            raise UnauthenticatedError(f"the token's claim {self.settings.user_claim!r} names nobody")
        if self.settings.user_claim == "email" and claims.get("email_verified") is not True:
            raise UnauthenticatedError("the token's e-mail address is not verified")
        groups = claims.get(self.settings.groups_claim)
        named = groups if isinstance(groups, list) else []
        return Person(name, frozenset(group for group in named if isinstance(group, str) and _is_text(group)))

    def _key(self, header: Mapping[str, Any], now: datetime) -> jwt.PyJWK:
        """Find the key that a token says it is signed with, if its algorithm is allowed and the key's own."""
        algorithm = header.get("alg")
        if algorithm not in self.settings.algorithms:
            raise jwt.InvalidAlgorithmError(f"the algorithm {algorithm!r} is not allowed")
        if "crit" in header:
            raise jwt.InvalidTokenError("the token asks for extensions that nobody knows")
        wanted = header.get("kid")
        for insist in (False, True):
            keys = self._keys(now, insist=insist)
            found = [key for key in keys if key.algorithm_name == algorithm and wanted in {None, key.key_id}]
            if len(found) == 1:
                return found[0]
        raise jwt.InvalidKeyError("the token's key is not one of the provider's")

    def _keys(self, now: datetime, *, insist: bool) -> tuple[jwt.PyJWK, ...]:
        """Give the provider's keys.

        :param insist: ask for them although they are fresh, unless that was done a moment ago
        """
        known = self.known
        usable = known.had_at is not None and now - known.had_at < USABLE
        # While there are keys, one request asks for newer ones and no other waits for it.
        if known.lock.acquire(blocking=not usable):
            try:
                fresh = known.had_at is not None and now - known.had_at < FRESH
                waiting = known.asked_at is not None and now - known.asked_at < REFETCH
                if not waiting and (insist or not fresh):
                    self._ask(now)
            finally:
                known.lock.release()
        if known.had_at is None or now - known.had_at >= USABLE or (insist and known.failed):
            raise UnavailableError("the identity provider cannot be reached; try again")
        return known.keys

    def _ask(self, now: datetime) -> None:
        self.known.asked_at = now
        try:
            self.known.keys = self._fetch()
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            self.known.failed = True
            log.warning("The identity provider %s did not give its keys: %s", self.settings.issuer, error)
        else:
            self.known.failed = False
            self.known.had_at = now

    def _fetch(self) -> tuple[jwt.PyJWK, ...]:
        url = self.settings.jwks_url
        if url is None:
            found = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found["issuer"] != self.settings.issuer:
                raise ValueError(f"the provider calls itself {found['issuer']!r}")
            url = found["jwks_uri"]
        if not isinstance(url, str) or not _is_safe(url):
            raise ValueError(f"the provider's keys are at {url!r}, which is not https")
        return tuple(key for item in self._get(url)["keys"] for key in self._read(item))

    def _read(self, item: Mapping[str, Any]) -> tuple[jwt.PyJWK, ...]:
        """Read one key for each allowed algorithm that it fits; a key for something else is passed over."""
        if item.get("use", "sig") != "sig" or item.get("kty") == "oct":
            return ()
        named = item.get("alg")
        fitting = [name for name in self.settings.algorithms if named in {None, name} and _fits(name, item)]
        try:
            return tuple(jwt.PyJWK({**item}, algorithm=algorithm) for algorithm in fitting)
        except jwt.PyJWTError as error:
            log.warning("A key of the identity provider cannot be read: %s", error)
            return ()

    def _get(self, url: str) -> dict[str, Any]:
        with self.client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                raise ValueError(f"{url} answered {answer.status_code}")
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise ValueError(f"{url} answered more than {MAX_ANSWER} bytes")
        found = httpx.Response(200, content=bytes(body)).json()
        if not isinstance(found, dict):
            raise TypeError(f"{url} answered no JSON object")
        return found


_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def _fits(algorithm: str, item: Mapping[str, Any]) -> bool:
    if algorithm in _CURVES:
        return item.get("kty") == "EC" and item.get("crv") == _CURVES[algorithm]
    return item.get("kty") == ("OKP" if algorithm == "EdDSA" else "RSA")


def _is_text(value: str) -> bool:
    """Tell whether every database can look for it: JSON may hold NUL and halves of surrogate pairs."""
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return bool(host) and (parts.scheme == "https" or (local and parts.scheme == "http"))
