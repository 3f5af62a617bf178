"""AWS's own image that analyzes captured data, by region."""

from __future__ import annotations

from festaf.provider.errors import InputError

REGISTRIES = {
    "ap-east-1": "001633400207",
    "ap-northeast-1": "574779866223",
    "ap-northeast-2": "709848358524",
    "ap-south-1": "126357580389",
    "ap-southeast-1": "245545462676",
    "ap-southeast-2": "563025443158",
    "ca-central-1": "536280801234",
    "cn-north-1": "453000072557",
    "cn-northwest-1": "453252182341",
    "eu-central-1": "048819808253",
    "eu-north-1": "895015795356",
    "eu-west-1": "468650794304",
    "eu-west-2": "749857270468",
    "eu-west-3": "680080141114",
    "me-south-1": "607024016150",
    "sa-east-1": "539772159869",
    "us-east-1": "156813124566",
    "us-east-2": "777275614652",
    "us-west-1": "890145073186",
    "us-west-2": "159807026194",
}
"""AWS's accounts that keep the image, as the SageMaker SDK lists them."""


def analyzer_image(region: str) -> str:
    """Name the image in a region.

    :raises InputError: the region is not in the list
    """
    account = REGISTRIES.get(region)
    if account is None:
        raise InputError(f"AWS's analyzer image is not known in region {region}: give image_uri")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{domain}/sagemaker-model-monitor-analyzer"
