"""The peer: Feast's registry with its REST server, run by the Python of an environment in which Feast is installed.

    PYTHON_OF_FEAST benchmarks/peers/feast_registry.py FOLDER FEATURES PORT

Makes a registry of so many features (20 in each view) in an SQLite database, then serves it until it is stopped. It
takes OpenLineage events as well. The server of Feast 0.67.0 needs grpcio, and does not start with the newest FastAPI:
have ``feast==0.67.0``, ``fastapi==0.136.3``, ``grpcio``, ``grpcio-health-checking`` and ``grpcio-reflection`` there.
"""

import sys
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.api.registry.rest.rest_registry_server import RestRegistryServer
from feast.types import Float32, String

FEATURES_PER_VIEW = 20
VIEWS_PER_SERVICE = 5
CONFIG = """project: bench
provider: local
registry:
  registry_type: sql
  path: sqlite:///{folder}/registry.db
  cache_ttl_seconds: 3600
online_store:
  type: sqlite
  path: {folder}/online.db
offline_store:
  type: file
entity_key_serialization_version: 3
openlineage:
  enabled: false
  consumer:
    enabled: true
"""


def main() -> None:
    folder, count, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    (folder / "feature_store.yaml").write_text(CONFIG.format(folder=folder))
    store = FeatureStore(repo_path=str(folder))
    entities = [Entity(name=f"entity_{number}", value_type=ValueType.STRING) for number in range(25)]
    views = []
    for number in range(count // FEATURES_PER_VIEW):
        source = FileSource(name=f"source_{number}", path=f"{folder}/{number}.parquet", timestamp_field="at")
        entity = entities[number % len(entities)]
        key = Field(name=entity.join_key, dtype=String)
        fields = [Field(name=f"f_{number}_{index}", dtype=Float32) for index in range(FEATURES_PER_VIEW)]
        views.append(
            FeatureView(
                name=f"view_{number}",
                entities=[entity],
                schema=[key, *fields],
                source=source,
                ttl=timedelta(days=1),
            )
        )
    services = [
        FeatureService(name=f"service_{start}", features=views[start : start + VIEWS_PER_SERVICE])
        for start in range(0, len(views), VIEWS_PER_SERVICE)
    ]
    store.apply([*entities, *views, *services])
    RestRegistryServer(store).start_server(port)


if __name__ == "__main__":
    main()
