"""The contract between a training job and its script: what SageMaker's training toolkit gives to a script.

See https://github.com/aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md.
"""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.jobs.container import Container
    from festaf.local_aws.resources.resource import Resource

MODEL = "/opt/ml/model"
CODE = "/opt/ml/code"
INPUT = "/opt/ml/input"
CONFIG = f"{INPUT}/config"
OUTPUT = "/opt/ml/output"
OUTPUT_DATA = f"{OUTPUT}/data"
INTERMEDIATE = f"{OUTPUT}/intermediate"
RESERVED = ("sagemaker_", "_tuning_objective_metric")
"""Hyperparameters that begin so are for the toolkit, not for the script."""


def decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Read hyperparameters: each is JSON, or a text as it stands."""
    found = {}
    for name, value in hyperparameters.items():
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def user_parameters(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Give those hyperparameters that are for the script."""
    return {name: value for name, value in decoded(hyperparameters).items() if not name.startswith(RESERVED)}


def arguments(parameters: Mapping[str, Any]) -> list[str]:
    """Give hyperparameters as a command line's arguments, as the toolkit orders and writes them."""
    given: list[str] = []
    for name in sorted(parameters):
        value = parameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={one}" for key, one in sorted(value.items()))
        given += [f"--{name}" if len(name) > 1 else f"-{name}", str(value)]
    return given


def command(program: str, parameters: Mapping[str, Any]) -> list[str]:
    """Give the command that runs a program of the code folder: a Python script, a shell script, or a module."""
    if program.endswith(".py"):
        return ["python", program, *arguments(parameters)]
    if program.endswith(".sh"):
        return ["/bin/sh", program, *arguments(parameters)]
    return ["python", "-m", program.replace("/", "."), *arguments(parameters)]


def environment(container: Container, job: Resource, program: str, machines: Mapping[str, Any]) -> dict[str, str]:
    """Give the variables of a script that is run by the toolkit.

    :param machines: what the resource configuration says
    """
    request = job.request
    parameters = user_parameters(request.get("HyperParameters", {}))
    channels = {
        one["ChannelName"]: container.seen(f"{INPUT}/data/{one['ChannelName']}")
        for one in request.get("InputDataConfig", ())
    }
    folders = {
        "model_dir": MODEL,
        "module_dir": CODE,
        "input_dir": INPUT,
        "input_config_dir": CONFIG,
        "output_dir": OUTPUT,
        "output_data_dir": OUTPUT_DATA,
        "output_intermediate_dir": INTERMEDIATE,
    }
    values: dict[str, Any] = {
        **{name: container.seen(path) for name, path in folders.items()},
        "user_entry_point": program,
        "module_name": PurePosixPath(program).stem,
        "user_args": [container.text(one) for one in arguments(parameters)],
        "hps": parameters,
        "channels": sorted(channels),
        "hosts": machines["hosts"],
        "current_host": container.host,
        "current_instance_type": machines["current_instance_type"],
        "current_instance_group": machines["current_group_name"],
        "network_interface_name": machines["network_interface_name"],
        "num_cpus": os.cpu_count() or 1,
        "num_gpus": 0,
        "log_level": 20,
        "resource_config": machines,
        "input_data_config": input_config(request),
        "framework_params": {},
    }
    whole = {
        **{name: values[name] for name in values if name not in ("hps", "user_args", "channels", "user_entry_point")},
        "hyperparameters": parameters,
        "channel_input_dirs": channels,
        "job_name": job.name,
        "is_master": container.host == container.hosts[0],
        "master_hostname": container.hosts[0],
        "additional_framework_parameters": {},
    }
    given = {f"SM_{name.upper()}": _text(value) for name, value in values.items()}
    given |= {f"SM_CHANNEL_{name.upper()}": path for name, path in channels.items()}
    given |= {f"SM_HP_{name.upper()}": _text(value) for name, value in parameters.items()}
    return {**given, "SM_TRAINING_ENV": json.dumps(whole), "PYTHONPATH": container.seen(CODE)}


def input_config(request: Mapping[str, Any]) -> dict[str, Any]:
    """Give what ``inputdataconfig.json`` says of the channels."""
    return {
        one["ChannelName"]: {
            "TrainingInputMode": one.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"],
            "S3DistributionType": one["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": one.get("RecordWrapperType", "None"),
            **({"ContentType": one["ContentType"]} if "ContentType" in one else {}),
        }
        for one in request.get("InputDataConfig", ())
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
