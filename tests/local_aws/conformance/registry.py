"""Model packages, lineage and search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.local_aws.conformance.case import ARN, Case, always
from tests.local_aws.model_packages.packages import GROUP, version
from tests.local_aws.models.models import MODELS

if TYPE_CHECKING:
    from tests.local_aws.conformance.case import Asked, World

CREATION = "a creation has no absence"
LIST = "a list has no absence"
GONE, INVALID = "ResourceNotFound", "ValidationException"
NOBODY = {"ModelPackageGroupName": "absent"}
POLICY = '{"Version": "2012-10-17", "Statement": []}'
PACKAGE = f"{ARN}:model-package/absent/1"
SOURCE = {"SourceUri": "s3://flights"}


def _group(world: World, **more: str) -> Asked:
    name = world.name("group")
    world.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return {"ModelPackageGroupName": name, **more}


def _with_policy(world: World) -> Asked:
    asked = _group(world)
    world.sagemaker.put_model_package_group_policy(**asked, ResourcePolicy=POLICY)
    return asked


def _action(world: World) -> Asked:
    name = world.name("action")
    world.sagemaker.create_action(ActionName=name, ActionType="Training", Source=SOURCE)
    return {"ActionName": name}


def _context(world: World) -> Asked:
    name = world.name("context")
    world.sagemaker.create_context(ContextName=name, ContextType="Endpoint", Source=SOURCE)
    return {"ContextName": name}


def _ends(world: World) -> Asked:
    return {"SourceArn": world.artifact(), "DestinationArn": world.artifact()}


def _associated(world: World) -> Asked:
    asked = _ends(world)
    world.sagemaker.add_association(**asked)
    return asked


ENDS = {"SourceArn": f"{ARN}:artifact/absent", "DestinationArn": f"{ARN}:action/train"}
PACKAGES = [
    Case(
        "CreateModelPackageGroup",
        lambda world: {"ModelPackageGroupName": world.name("group"), "ModelPackageGroupDescription": "Delays"},
        CREATION,
        twice=INVALID,
    ),
    Case("DescribeModelPackageGroup", always(ModelPackageGroupName=GROUP), (NOBODY, INVALID)),
    Case("ListModelPackageGroups", always(), LIST),
    Case("DeleteModelPackageGroup", _group, (NOBODY, INVALID)),
    Case(
        "PutModelPackageGroupPolicy",
        lambda world: _group(world, ResourcePolicy=POLICY),
        ({**NOBODY, "ResourcePolicy": POLICY}, INVALID),
    ),
    Case("GetModelPackageGroupPolicy", _with_policy, (NOBODY, INVALID)),
    Case("DeleteModelPackageGroupPolicy", _with_policy, (NOBODY, INVALID)),
    Case("CreateModelPackage", lambda world: version(), (version(**NOBODY), INVALID), twice="other"),
    Case("DescribeModelPackage", always(ModelPackageName=f"{GROUP}/1"), ({"ModelPackageName": PACKAGE}, INVALID)),
    Case(
        "BatchDescribeModelPackage",
        lambda world: {"ModelPackageArnList": [world.version(), PACKAGE]},
        "a version that is not there is an error in the map",
    ),
    Case("ListModelPackages", always(ModelPackageGroupName=GROUP), (NOBODY, INVALID)),
    Case(
        "UpdateModelPackage",
        lambda world: {"ModelPackageArn": world.version(), "ModelApprovalStatus": "Approved"},
        ({"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"}, INVALID),
    ),
    Case(
        "DeleteModelPackage",
        lambda world: {"ModelPackageName": world.version()},
        ({"ModelPackageName": PACKAGE}, INVALID),
    ),
]
LINEAGE = [
    Case(
        "CreateArtifact",
        lambda world: {"Source": {"SourceUri": f"s3://{MODELS}/{world.name()}"}, "ArtifactType": "Model"},
        CREATION,
        twice="same",
    ),
    Case(
        "DescribeArtifact",
        lambda world: {"ArtifactArn": world.artifact(Properties={"a": "b"}, MetadataProperties={"CommitId": "c"})},
        ({"ArtifactArn": f"{ARN}:artifact/absent"}, GONE),
    ),
    Case("ListArtifacts", always(), LIST),
    Case(
        "UpdateArtifact",
        lambda world: {"ArtifactArn": world.artifact(), "ArtifactName": "renamed"},
        ({"ArtifactArn": f"{ARN}:artifact/absent"}, GONE),
    ),
    Case(
        "DeleteArtifact",
        lambda world: {"ArtifactArn": world.artifact()},
        ({"ArtifactArn": f"{ARN}:artifact/absent"}, GONE),
    ),
    Case(
        "CreateAction",
        lambda world: {"ActionName": world.name("action"), "ActionType": "Training", "Source": SOURCE},
        CREATION,
        twice=INVALID,
    ),
    Case("DescribeAction", always(ActionName="train"), ({"ActionName": "absent"}, GONE)),
    Case("ListActions", always(), LIST),
    Case("UpdateAction", lambda world: {**_action(world), "Status": "Completed"}, ({"ActionName": "absent"}, GONE)),
    Case("DeleteAction", _action, ({"ActionName": "absent"}, GONE)),
    Case(
        "CreateContext",
        lambda world: {"ContextName": world.name("context"), "ContextType": "Endpoint", "Source": SOURCE},
        CREATION,
        twice=INVALID,
    ),
    Case("DescribeContext", always(ContextName="serve"), ({"ContextName": "absent"}, GONE)),
    Case("ListContexts", always(), LIST),
    Case("UpdateContext", lambda world: {**_context(world), "Description": "new"}, ({"ContextName": "absent"}, GONE)),
    Case("DeleteContext", _context, ({"ContextName": "absent"}, GONE)),
    Case("AddAssociation", _ends, (ENDS, GONE), twice=INVALID),
    Case("DeleteAssociation", _associated, (ENDS, GONE)),
    Case("ListAssociations", always(), LIST),
    Case(
        "QueryLineage",
        lambda world: {"StartArns": [world.edge[0]], "Direction": "Descendants", "IncludeEdges": True},
        ({"StartArns": [f"{ARN}:artifact/absent"]}, GONE),
    ),
    Case("ListLineageGroups", always(), LIST),
]
SEARCH = [
    Case(
        "Search",
        always(Resource="ModelPackage", SearchExpression={"Filters": [{"Name": "ModelPackageVersion", "Value": "1"}]}),
        LIST,
    ),
    Case(
        "GetSearchSuggestions",
        always(Resource="ModelPackage", SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": "Model"}}),
        LIST,
    ),
]
CASES = [*PACKAGES, *LINEAGE, *SEARCH]
