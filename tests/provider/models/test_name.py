from __future__ import annotations

import pytest

from festaf.provider.errors import InputError
from festaf.provider.models.name import ModelName, version_arn

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("text", "version", "name", "number", "kind"),
    [
        ("delay", None, "delay", None, None),
        ("delay", "", "delay", None, None),
        ("delay", "3", "delay", 3, None),
        ("delay:3", None, "delay", 3, None),
        ("delay:3", 3, "delay", 3, None),
        (f"{ACCOUNT}:model-package/delay/3", None, "delay", 3, "model-package"),
        (f"{ACCOUNT}:model-package-group/delay", 3, "delay", 3, "model-package-group"),
        (f"{ACCOUNT}:model/delay", None, "delay", None, "model"),
    ],
)
def test_a_name_is_read_in_each_spelling(
    text: str, version: int | str | None, name: str, number: int | None, kind: str | None
) -> None:
    found = ModelName.of(text, version)
    assert (found.name, found.version, found.kind) == (name, number, kind)
    assert ModelName.of(found.spelled).label == found.label


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        ("", None, "'' is no name of a model"),
        ("late flights", None, "is no name of a model"),
        ("delay:", None, "Version '' of model 'delay:' is no number from 1"),
        ("delay:0", None, "Version '0'"),
        ("delay", "newest", "Version 'newest' of model 'delay' is no number"),
        ("delay:3", 4, "names version 3, and version is 4"),
        (f"{ACCOUNT}:model/delay", 4, "is a SageMaker model, which has no versions"),
    ],
)
def test_what_is_no_name_is_refused(text: str, version: int | str | None, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        ModelName.of(text, version)


def test_a_group_of_another_account_is_reached_by_its_arn() -> None:
    arn = f"{ACCOUNT}:model-package-group/delay"
    assert ModelName.of(arn).group == arn
    assert ModelName.of("delay").group == "delay"
    assert version_arn(arn, 7) == f"{ACCOUNT}:model-package/delay/7"
