"""People come with a token of their identity provider: a small one of our own, over HTTP, with RSA and EC keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient

from festaf.registry_api.access.limits import Limits
from festaf.registry_api.access.oidc import OidcSettings
from festaf.registry_api.access.principals import Kind, PrincipalService
from festaf.registry_api.access.projects import ProjectService
from festaf.registry_api.access.roles import Role
from festaf.registry_api.database import Database
from festaf.registry_api.edge import now
from festaf.registry_api.errors import SetupError
from festaf.registry_api.settings import Settings, read_limits, read_oidc
from tests.registry_api.applications import application
from tests.registry_api.databases import with_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx import Response

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issuer:
    """An identity provider on this machine."""

    server: ThreadingHTTPServer
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    down: bool = False
    calls_itself: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> Any:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.calls_itself or self.url, "jwks_uri": f"{self.url}/keys"}
        broken = [{"kty": "RSA", "kid": "broken", "n": "!"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}]
        return {"keys": broken + [_jwk(kid, key) for kid, key in self.keys.items()]}

    def token(self, kid: str | None = "rsa", *, key: Any = None, alg: str | None = None, **claims: Any) -> str:
        signing = key or self.keys[kid or "rsa"]
        moment = datetime.now(UTC)
        said = {
            "iss": self.url,
            "aud": "festaf",
            "sub": "42",
            "email": "ann@example.com",
            "email_verified": True,
            "groups": ["analysts"],
            "iat": moment,
            "exp": moment + timedelta(minutes=5),
            **claims,
        }
        named = alg or ("ES256" if isinstance(signing, ec.EllipticCurvePrivateKey) else "RS256")
        headers = {"kid": kid} if kid else {}
        return jwt.encode(
            {name: value for name, value in said.items() if value is not None}, signing, named, headers=headers
        )


def _jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}  # type: ignore[arg-type]  # The key is of the class.


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "new": rsa.generate_private_key(65537, 2048),
    }


@pytest.fixture
def issuer(keys: dict[str, PrivateKey]) -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(found.answer(self.path)).encode()
            self.send_response(500 if found.down else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    found = Issuer(ThreadingHTTPServer(("127.0.0.1", 0), Handler), {name: keys[name] for name in ("rsa", "ec")})
    thread = Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@dataclass
class Registry:
    """A registry that believes the issuer."""

    http: TestClient
    database: Database
    ahead: timedelta = timedelta()

    def me(self, token: str) -> Response:
        return self.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def registry(issuer: Issuer, database_url: str) -> Iterator[Registry]:
    database = with_schema(Database(database_url))
    with database.writing() as session:
        moment = datetime.now(UTC)
        principals = PrincipalService(session, moment)
        for project in ("nyc", "bos"):
            ProjectService(session, moment).put(project, None, "me")
        principals.put(Kind.TEAM, "analysis", oidc_group="analysts")
        principals.grant("nyc", Kind.TEAM, "analysis", Role.READ, "me")
        principals.put(Kind.USER, "ann@example.com")
        principals.grant("bos", Kind.USER, "ann@example.com", Role.WRITE, "me")
    settings = Settings(database_url, oidc=OidcSettings(issuer.url, "festaf"))
    with application(settings, database) as app, TestClient(app) as http:
        found = Registry(http, database)
        app.dependency_overrides[now] = lambda: datetime.now(UTC) + found.ahead
        yield found


def test_a_person_may_do_what_was_granted_to_them_and_to_their_groups(issuer: Issuer, registry: Registry) -> None:
    for kid in ("rsa", "ec"):
        me = registry.me(issuer.token(kid)).json()
        assert (me["name"], me["kind"], me["teams"]) == ("ann@example.com", "user", ["analysis"])
        assert (me["reads"], me["writes"], me["administers"]) == (["bos", "nyc"], ["bos"], [])
    stranger = registry.me(issuer.token(email="bob@example.com", groups=["others"])).json()
    assert (stranger["reads"], stranger["teams"]) == ([], [])
    assert registry.me(issuer.token(groups=None)).json()["reads"] == ["bos"]
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize("name", ["ann\x00", "ann\ud800", "ann\u200b@example.com", "ann\n"])
def test_a_name_that_cannot_be_shown_names_nobody(issuer: Issuer, registry: Registry, name: str) -> None:
    answer = registry.me(issuer.token(email=name))

    assert (answer.status_code, "names nobody" in answer.text) == (401, True)
    assert registry.me(issuer.token(groups=["analysts", name])).json()["teams"] == ["analysis"]


def test_a_group_counts_by_whatever_name_a_database_can_hold(issuer: Issuer, registry: Registry) -> None:
    named = "Équipe\u00a0A"
    with registry.database.writing() as session:
        PrincipalService(session, datetime.now(UTC)).put(Kind.TEAM, "a", oidc_group=named)

    assert registry.me(issuer.token(groups=["\x00", "\ud800", named])).json()["teams"] == ["a"]


def test_a_person_who_is_disabled_is_not_let_in(issuer: Issuer, registry: Registry) -> None:
    assert registry.me(issuer.token()).status_code == 200
    with registry.database.writing() as session:
        PrincipalService(session, datetime.now(UTC)).put(Kind.USER, "ann@example.com", disabled=True)

    assert registry.me(issuer.token()).status_code == 401


def test_what_the_provider_did_not_sign_for_us_and_now_opens_nothing(issuer: Issuer, registry: Registry) -> None:
    late = datetime.now(UTC) - timedelta(minutes=5)
    other = rsa.generate_private_key(65537, 2048)
    good = issuer.token()
    head, body, signature = good.split(".")
    wrong = {
        "expired": issuer.token(exp=late),
        "not valid yet": issuer.token(nbf=datetime.now(UTC) + timedelta(minutes=5)),
        "without an end": issuer.token(exp=None),
        "another audience": issuer.token(aud="other"),
        "no audience": issuer.token(aud=None),
        "another issuer": issuer.token(iss="https://evil.example"),
        "an issuer like ours": issuer.token(iss=issuer.url + "/"),
        "no issuer": issuer.token(iss=None),
        "another's key": issuer.token(key=other),
        "a key nobody knows": issuer.token("nobody", key=other),
        "a key with another's name": issuer.token("ec", key=other, alg="RS256"),
        "an algorithm that is not allowed": issuer.token(alg="RS512"),
        "unsigned": f"{_part({'alg': 'none', 'kid': 'rsa'})}.{body}.",
        "unsigned in capitals": f"{_part({'alg': 'NONE', 'kid': 'rsa'})}.{body}.",
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{_part({'email': 'bob@example.com'})}.{signature}",
        "signed with the public key": _hs256(issuer, body),
        "signed with the shared key": _signed({"alg": "HS256", "kid": "shared"}, body, b"secret"),
        "an extension": issuer.token(key=None).replace(head, _part({"alg": "RS256", "kid": "rsa", "crit": ["x"]})),
        "nobody": issuer.token(email=None),
        "an address that nobody verified": issuer.token(email_verified=False),
        "nonsense": "a.b.c",
        "key id of a wrong type": f"{_part({'alg': 'RS256', 'kid': ['rsa']})}.{body}.{signature}",
    }

    answers = {why: registry.me(token) for why, token in wrong.items()}

    assert {why: answer.status_code for why, answer in answers.items()} == dict.fromkeys(wrong, 401)
    assert registry.me(good).status_code == 200
    assert registry.me(issuer.token(exp=datetime.now(UTC) - timedelta(seconds=20))).status_code == 200
    assert registry.me(issuer.token(None, key=issuer.keys["ec"])).status_code == 200


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _signed(header: dict[str, Any], body: str, secret: bytes) -> str:
    said = f"{_part(header)}.{body}"
    signature = hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _hs256(issuer: Issuer, body: str) -> str:
    """Sign with the public key as if it were a shared secret, as an attacker would."""
    public = issuer.keys["rsa"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _signed({"alg": "HS256", "kid": "rsa"}, body, public)


def test_a_new_key_counts_soon_and_an_old_one_no_longer(
    issuer: Issuer, registry: Registry, keys: dict[str, PrivateKey]
) -> None:
    old = issuer.token("ec")
    assert registry.me(old).status_code == 200
    issuer.keys = {"new": keys["new"]}
    for _ in range(20):
        assert registry.me(issuer.token("new")).status_code == 401
    assert len(issuer.asked) == 2

    registry.ahead = timedelta(seconds=11)
    assert registry.me(issuer.token("new")).status_code == 200
    assert registry.me(old).status_code == 401
    assert len(issuer.asked) == 4


def test_a_provider_that_is_down_lets_nobody_new_in(issuer: Issuer, registry: Registry) -> None:
    issuer.down = True
    answer = registry.me(issuer.token())
    assert (answer.status_code, answer.json()["code"]) == (503, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert registry.me(issuer.token(key=rsa.generate_private_key(65537, 2048))).status_code == 503
    assert len(issuer.asked) == 1

    issuer.down, registry.ahead = False, timedelta(seconds=11)
    token = issuer.token(exp=datetime.now(UTC) + timedelta(hours=3))
    assert registry.me(token).status_code == 200
    issuer.down = True
    for ahead, status in ((timedelta(minutes=30), 200), (timedelta(minutes=61, seconds=11), 503)):
        registry.ahead = ahead
        assert registry.me(token).status_code == status
    assert registry.me(issuer.token("new", key=issuer.keys["rsa"])).status_code == 503


def test_a_provider_that_calls_itself_otherwise_is_not_believed(issuer: Issuer, registry: Registry) -> None:
    issuer.calls_itself = "https://evil.example"

    assert registry.me(issuer.token()).status_code == 503
    assert "/keys" not in issuer.asked


@pytest.mark.parametrize(
    ("issuer_url", "more"),
    [
        ("http://id.example", {}),
        ("https://id.example", {"algorithms": ("HS256",)}),
        ("https://id.example", {"algorithms": ("none",)}),
        ("https://id.example", {"algorithms": ()}),
        ("https://id.example", {"audience": ""}),
        ("https://id.example", {"jwks_url": "http://id.example/keys"}),
    ],
)
def test_settings_that_would_let_strangers_in_are_refused(issuer_url: str, more: dict[str, Any]) -> None:
    with pytest.raises(SetupError):
        OidcSettings(**{"issuer": issuer_url, "audience": "festaf", **more})


def test_the_provider_and_the_limits_are_set_by_the_environment() -> None:
    environment = {
        "FESTAF_REGISTRY_OIDC_ISSUER": "https://id.example",
        "FESTAF_REGISTRY_OIDC_AUDIENCE": "festaf",
        "FESTAF_REGISTRY_OIDC_ALGORITHMS": "ES256, EdDSA",
        "FESTAF_REGISTRY_OIDC_USER_CLAIM": "sub",
        "FESTAF_REGISTRY_LIMIT_READS": "5/second",
        "FESTAF_REGISTRY_LIMIT_WRITES": "",
    }

    assert read_oidc(environment) == OidcSettings(
        "https://id.example", "festaf", algorithms=("ES256", "EdDSA"), user_claim="sub"
    )
    assert read_limits(environment) == Limits(reads="5/second", writes=None)
    assert read_oidc({}) is None
    for wrong in ("FESTAF_REGISTRY_OIDC_AUDIENCE", "FESTAF_REGISTRY_OIDC_SECRET"):
        with pytest.raises(SetupError, match="are needed"):
            read_oidc({wrong: "x"})
