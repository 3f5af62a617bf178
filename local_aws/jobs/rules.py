"""What is known to be wrong with a job before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.jobs.channels import split_prefix
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping


def invalid(message: str) -> ApiError:
    """Make the error of a request that makes no sense."""
    return ApiError("ValidationException", message)


def cannot(what: str) -> ApiError:
    """Make the error of a request that AWS would run and the local AWS cannot."""
    return ApiError("ValidationException", f"The local AWS cannot {what}.")


def instances(cluster: Mapping[str, Any]) -> int:
    """Count the machines that a cluster asks for."""
    groups = cluster.get("InstanceGroups", ())
    return int(sum(one["InstanceCount"] for one in groups) if groups else cluster.get("InstanceCount", 1))


def check_instances(cluster: Mapping[str, Any], most: int) -> None:
    """Refuse more machines than stand in for by processes.

    :raises ApiError: ValidationException
    """
    count = instances(cluster)
    if not 1 <= count <= most:
        raise cannot(f"run this job on {count} instances, only on {f'1 to {most}' if most > 1 else 'one'}")


def check_output(uri: str) -> None:
    """Refuse what is no place in S3.

    :raises ApiError: ValidationException
    """
    try:
        split_prefix(uri)
    except ValueError as error:
        raise invalid(f"The S3 URI {uri} is not valid: {error}") from error


def check_channels(request: Mapping[str, Any]) -> None:
    """Refuse channels of which the local AWS cannot make files, and names that come twice.

    :raises ApiError: ValidationException
    """
    channels = request.get("InputDataConfig", ())
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise invalid(f"Channel names must be unique: {', '.join(names)}")
    for channel in channels:
        _check_channel(channel, channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"])


def _check_channel(channel: Mapping[str, Any], mode: str) -> None:
    name = channel["ChannelName"]
    if "S3DataSource" not in channel["DataSource"]:
        raise cannot(f"fill channel {name} but from S3")
    if mode == "Pipe":
        raise cannot(f"fill channel {name} in Pipe mode, only in File and FastFile mode")
    if channel.get("RecordWrapperType", "None") != "None":
        raise cannot(f"wrap channel {name} as RecordIO")
    check_source(f"channel {name}", channel["DataSource"]["S3DataSource"])


def check_source(what: str, source: Mapping[str, Any]) -> None:
    """Refuse a data source of S3 that the local AWS cannot read.

    :raises ApiError: ValidationException
    """
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise cannot(f"read {what} as {source['S3DataType']}, only as S3Prefix and ManifestFile")
    check_output(source["S3Uri"])


def no_objects(uri: str, region: str, role: str) -> ApiError:
    """Make AWS's error of an input that is not there."""
    bucket, _ = split_prefix(uri)
    return invalid(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )
