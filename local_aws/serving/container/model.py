"""The user's model: its handlers, and what stands in for those that it does not bring.

The handlers are those of SageMaker's framework containers: ``model_fn(model_dir)``, ``input_fn(body, content_type)``,
``predict_fn(data, model)``, ``output_fn(prediction, accept)``, or ``transform_fn(model, body, content_type, accept)``
in place of the last three.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from festaf.local_aws.serving.container.codecs import CSV, JSON, decode, encode, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

PROGRAM = "inference.py"


class ModelLoadError(Exception):
    """There is nothing in the archive that this container knows how to serve."""


@dataclass
class Model:
    """A loaded model with its handlers."""

    loaded: Any
    read: Callable[[Any, str], Any]
    predict: Callable[[Any, Any], Any]
    write: Callable[[Any, str], Any]
    transform: Callable[[Any, Any, str, str], Any] | None = None

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer one invocation with a body and its content type."""
        given = _as_handlers_get_it(body, content_type)
        if self.transform is not None:
            return _answered(self.transform(self.loaded, given, content_type, accept), accept)
        prediction = self.predict(self.read(given, content_type), self.loaded)
        return _answered(self.write(prediction, accept), accept)


def load_model(directory: Path, code: Path | None) -> Model:
    """Import the user's handlers and load the model.

    :param directory: the unpacked ``model.tar.gz``
    :param code: the unpacked SAGEMAKER_SUBMIT_DIRECTORY, when that is not in the model
    :raises ModelLoadError: there is no handler and no file that loads without one
    """
    script = _script(directory, code)
    if script and (script.parent / "requirements.txt").is_file():
        print("The local AWS does not install requirements.txt: it runs what its own Python has.")  # noqa: T201 - the log
    handlers = _import(script) if script else None
    load = getattr(handlers, "model_fn", None)
    if load is None and getattr(handlers, "transform_fn", None) is None and getattr(handlers, "predict_fn", None):
        load = _load_if_any
    loaded = (load or _load_known)(str(directory))
    return Model(
        loaded,
        read=getattr(handlers, "input_fn", _decode),
        predict=getattr(handlers, "predict_fn", _predict),
        write=getattr(handlers, "output_fn", encode),
        transform=getattr(handlers, "transform_fn", None),
    )


def _script(directory: Path, code: Path | None) -> Path | None:
    program = os.environ.get("SAGEMAKER_PROGRAM")
    for place in [code] if code else [directory / "code", directory]:
        found = place / (program or PROGRAM)
        if found.is_file():
            return found
    if program or code:
        raise ModelLoadError(f"{program or PROGRAM} is not in the archive of the code")
    return None


def _import(script: Path) -> ModuleType:
    """Import a script as the module it would be, its folder first in the path, as the framework containers do."""
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{script.name} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


def _load_if_any(directory: str) -> Any:
    try:
        return _load_known(directory)
    except ModelLoadError:
        return None


def _load_known(directory: str) -> Any:
    """Load the one file that needs no handler."""
    place = Path(directory)
    for patterns, library, load in _KNOWN:
        found = sorted(path for pattern in patterns for path in place.glob(pattern))
        if not found:
            continue
        if len(found) > 1:
            raise ModelLoadError(f"{', '.join(path.name for path in found)} are several models; write a model_fn")
        if importlib.util.find_spec(library) is None:
            raise ModelLoadError(f"{found[0].name} needs the library {library}, which this Python does not have")
        return load(found[0])
    there = ", ".join(sorted(path.name for path in place.iterdir())) or "nothing"
    raise ModelLoadError(
        f"the archive has no code/{PROGRAM} with a model_fn, no *.joblib, xgboost-model or *.onnx; there is: {there}"
    )


def _load_joblib(path: Path) -> Any:
    import joblib

    return joblib.load(path)


def _load_xgboost(path: Path) -> Any:
    import xgboost  # type: ignore[import-not-found] # the user's to install

    booster = xgboost.Booster()
    booster.load_model(str(path))
    return _Predictor(lambda data: booster.predict(xgboost.DMatrix(data)))


def _load_onnx(path: Path) -> Any:
    import onnxruntime  # type: ignore[import-not-found] # the user's to install

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return _Predictor(lambda data: session.run(None, {name: data.astype("float32")})[0])


_KNOWN: tuple[tuple[tuple[str, ...], str, Callable[[Path], Any]], ...] = (
    (("*.joblib",), "joblib", _load_joblib),
    (("xgboost-model", "*.ubj", "model.json"), "xgboost", _load_xgboost),
    (("*.onnx",), "onnxruntime", _load_onnx),
)


@dataclass
class _Predictor:
    predict: Callable[[Any], Any]


def _predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _decode(body: Any, content_type: str) -> Any:
    return decode(body.encode() if isinstance(body, str) else body, content_type)


def _as_handlers_get_it(body: bytes, content_type: str) -> Any:
    """Give text for the types that are text, as the framework containers do."""
    kind = plain(content_type)
    return body.decode() if kind in (CSV, JSON) or kind.startswith("text/") else body


def _answered(result: Any, accept: str) -> tuple[bytes, str]:
    """Take what a handler returned: a body, or a body and its content type."""
    body, content_type = result if isinstance(result, tuple) else (result, accept.partition(",")[0])
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), content_type
    if isinstance(body, str):
        return body.encode(), content_type
    return encode(body, content_type)
