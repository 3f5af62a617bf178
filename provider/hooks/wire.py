"""HTTP/1.1 over sockets of our own, for requests that are ready to be sent.

A Python HTTP library spends several times what the request itself costs on headers. Here a request is one write, and
an answer is read as far as its status, its length and its body. With a proxy or a client certificate botocore's own
session is used instead.
"""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.exceptions import SSLError as TlsError
from botocore.httpsession import URLLib3Session, get_cert_path
from botocore.utils import get_environ_proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.config import Config

Answer = tuple[int, "Mapping[str, str]", bytes]
"""Status, headers by lower-case name, body."""
HEAD_LIMIT = 65536


class Transport(Protocol):
    """Sends a prepared request and gives the answer; may be used from several threads."""

    def send(self, request: AWSPreparedRequest) -> Answer:
        """Send.

        :raises BotoCoreError: there was no answer
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def transport(url: str, config: Config, verify: bool | str | None, connections: int) -> Transport:
    """Choose how to reach an endpoint."""
    proxies = config.proxies or get_environ_proxies(url)
    trusted = (os.environ.get("AWS_CA_BUNDLE") or True) if verify is None else verify
    timeout = (float(config.connect_timeout), float(config.read_timeout))
    if not proxies and not config.client_cert:
        return Wire(url, trusted, timeout)
    return _Session(
        URLLib3Session(
            verify=trusted,
            proxies=proxies,
            proxies_config=config.proxies_config,
            timeout=timeout,
            max_pool_connections=connections,
            client_cert=config.client_cert,
        )
    )


class _Session:
    """botocore's session in the form of a transport."""

    def __init__(self, session: URLLib3Session) -> None:
        self._session = session

    def send(self, request: AWSPreparedRequest) -> Answer:
        answer = self._session.send(request)
        return answer.status_code, answer.headers, answer.content

    def close(self) -> None:
        self._session.close()


class Wire:
    """Keeps as many connections to one endpoint as there are threads that send at the same time.

    :param verify: True for the usual certificates, a path for others, False for none
    :param timeout: seconds to connect, and to wait for each piece of the answer
    """

    def __init__(self, url: str, verify: bool | str, timeout: tuple[float, float]) -> None:
        parts = urlsplit(url)
        self._url = url
        self._host = parts.hostname or ""
        usual = 443 if parts.scheme == "https" else 80
        self._port = parts.port or usual
        # As it is signed: without the usual port.
        self._name = parts.netloc.removesuffix(f":{usual}")
        self._tls = _tls_context(verify) if parts.scheme == "https" else None
        self._timeout = timeout
        self._idle: list[socket.socket] = []

    def send(self, request: AWSPreparedRequest) -> Answer:
        """Send a request on an idle connection, or on a new one.

        :raises BotoCoreError: there was no whole answer; the connection is gone, the next request makes a new one
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.sendall(self._head(request) + request.body)
            answer, keeps = _read(connection)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=self._url) from error
        except (OSError, ValueError) as error:
            connection.close()
            raise ConnectionClosedError(endpoint_url=self._url) from error
        if keeps:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _head(self, request: AWSPreparedRequest) -> bytes:
        lines = [f"{request.method} {urlsplit(request.url).path} HTTP/1.1", f"Host: {self._name}"]
        for name, value in request.headers.items():
            lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _connect(self) -> socket.socket:
        try:
            plain = socket.create_connection((self._host, self._port), self._timeout[0])
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=self._url) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(self._timeout[1])
        if self._tls is None:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=self._host)
        except ssl.SSLError as error:
            plain.close()
            raise TlsError(endpoint_url=self._url, error=error) from error


def _tls_context(verify: bool | str) -> ssl.SSLContext:
    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=get_cert_path(verify))


def _read(connection: socket.socket) -> tuple[Answer, bool]:
    """Read one answer, and tell whether the connection may be used again.

    :raises ValueError: it is no HTTP/1.1 answer
    :raises OSError: it ends too early
    """
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _piece(connection)
        if len(data) > HEAD_LIMIT:
            raise ValueError("the answer's head does not end")
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = data[end + 4 :]
    keeps = headers.get("connection", "").lower() != "close"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _read_chunks(connection, body)
    elif "content-length" in headers:
        length = int(headers["content-length"])
        while len(body) < length:
            body += _piece(connection)
    else:
        body, keeps = _read_rest(connection, body), False
    return (int(first.split(" ", 2)[1]), headers, body), keeps


def _piece(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionResetError("the connection was closed before the answer was whole")
    return piece


def _read_chunks(connection: socket.socket, data: bytes) -> bytes:
    body = b""
    while True:
        while b"\r\n" not in data:
            data += _piece(connection)
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        while len(data) < length + 2:
            data += _piece(connection)
        if length == 0:
            return body
        body, data = body + data[:length], data[length + 2 :]


def _read_rest(connection: socket.socket, body: bytes) -> bytes:
    while piece := connection.recv(65536):
        body += piece
    return body
