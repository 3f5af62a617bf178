"""The client publishes, gets and listens over real HTTP."""

from __future__ import annotations

import time
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn

from festaf.client.dag_packages import DagPackageClient
from festaf.client.errors import AbsentError, DeniedError, InvalidError, RefusedError, UnexpectedAnswerError
from festaf.contract.dag_package import NamespaceSettings, SignedStatement
from festaf.registry_api.server import bind
from festaf.sharing.signature import new_key, public_key, sign
from tests.buckets import on_disk_and_s3
from tests.sharing.packages import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.registry_api.dag_packages.conftest import House

NAME = ("acme", "sales", "1.4.0")


@pytest.fixture
def client(house: House) -> Iterator[Callable[[str], DagPackageClient]]:
    """Give clients of a registry that listens on a port, by whose token they send."""
    server = uvicorn.Server(uvicorn.Config(house.app, log_level="critical", lifespan="off"))
    opened: list[DagPackageClient] = []
    with closing(bind("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)

        def of(who: str) -> DagPackageClient:
            opened.append(DagPackageClient(url, house.tokens[who], retry=False))
            return opened[-1]

        yield of
        for one in opened:
            one.close()
        server.should_exit = True
        thread.join(20)


@on_disk_and_s3
def test_a_package_goes_its_way_from_author_to_importer(client: Callable[[str], DagPackageClient]) -> None:
    ann, bob, ian, joy = client("ann"), client("bob"), client("ian"), client("joy")
    key = new_key()
    rules = NamespaceSettings(approvals=1, signatures_required=True)
    assert joy.put_settings("acme", rules) == ian.settings("acme") == rules
    assert joy.put_key("acme", public_key(key, "laptop")).comment == "laptop"
    assert [item.key_id for item in ian.keys("acme")] == [public_key(key).key_id]
    data = archive()
    staged = ann.stage(*NAME, data)
    statement = SignedStatement(namespace="acme", name="sales", version="1.4.0", digest=staged.digest, size=len(data))
    with pytest.raises(InvalidError, match=r"1 more must approve.*signature"):
        ann.publish(*NAME, staged.digest)
    assert ann.sign(*NAME, sign(statement, key)).signatures
    with pytest.raises(DeniedError, match="cannot approve"):
        ann.approve(*NAME, staged.digest)
    assert bob.approve(*NAME, staged.digest, "looked at it").approvals[0].comment == "looked at it"
    assert ann.publish(*NAME, staged.digest).state == "published"

    assert ian.archive(*NAME, staged.digest) == data
    with pytest.raises(UnexpectedAnswerError, match="other bytes"):
        ian.archive(*NAME, "0" * 64)
    assert ian.package("acme", "sales").latest == "1.4.0"
    changed = ian.changes()
    assert changed is not None
    assert [change.state for change in changed.changes.changes] == ["published"]
    assert ian.changes(changed.changes.sequence, changed.etag) is None

    assert ann.yank(*NAME, "wrong").reason == "wrong"
    assert ann.unyank(*NAME).reason is None
    assert joy.quarantine(*NAME, "steals").state == "quarantined"
    with pytest.raises(RefusedError, match="quarantined: steals") as refused:
        ian.archive(*NAME, staged.digest)
    assert refused.value.status == 451
    assert joy.release(*NAME).state == "published"
    joy.delete(*NAME)
    with pytest.raises(RefusedError, match="never come back") as gone:
        ian.version(*NAME)
    assert gone.value.status == 410
    assert joy.revoke_key("acme", public_key(key).key_id).revoked_at is not None
    with pytest.raises(AbsentError):
        client("eve").package("acme", "sales")
