"""Clouds that are declared say what an answer would take; no question is answered with nothing."""

from __future__ import annotations

import inspect
import pickle

import pytest

from festaf.provider.artifacts import Meta
from festaf.provider.backends.aws import AwsBackend
from festaf.provider.backends.azure import AzureBackend
from festaf.provider.backends.backend import Backend
from festaf.provider.backends.gcp import GcpBackend
from festaf.provider.errors import BackendNotImplementedError, InputError

QUESTIONS = sorted(name for name, found in vars(Backend).items() if inspect.isfunction(found) and name[0] != "_")
LISTS = ("feature_sets", "models", "endpoints")


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        ("azure", ["Azure", "Azure Machine Learning", "azure-ai-ml", "apache-airflow-providers-microsoft-azure"]),
        ("gcp", ["GCP", "Vertex AI", "google-cloud-aiplatform", "apache-airflow-providers-google"]),
    ],
)
def test_every_question_names_service_library_calls_and_connection(cloud: str, words: list[str]) -> None:
    meta = Meta(backend=cloud)  # type: ignore[arg-type]
    assert len(QUESTIONS) == 6
    for question in QUESTIONS:
        with pytest.raises(NotImplementedError) as raised:
            getattr(meta, question)(*([] if question in LISTS else ["planes"]))
        said = str(raised.value)
        assert said.startswith(f"Meta.{question}() is not implemented for {words[0]}: it would need ")
        assert all(word in said for word in words)
        assert "()" in said or "get(" in said
        assert isinstance(raised.value, BackendNotImplementedError)
        again = pickle.loads(pickle.dumps(raised.value))
        assert (again.cloud, again.question, str(again)) == (words[0], question, said)


def test_every_backend_takes_every_question_with_the_same_arguments() -> None:
    for kind in (AwsBackend, AzureBackend, GcpBackend):
        for question in QUESTIONS:
            asked = inspect.signature(getattr(Backend, question)).parameters
            assert inspect.signature(getattr(kind, question)).parameters.keys() == asked.keys()


def test_another_cloud_is_refused() -> None:
    with pytest.raises(InputError, match="backend is 'moon': write one of aws, azure, gcp"):
        Meta(backend="moon").models()  # type: ignore[arg-type]
