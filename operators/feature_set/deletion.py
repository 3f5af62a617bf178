"""Retire a feature set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.operators.feature_set.task import FeatureSetTask
from festaf.provider.assets import announce

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeleteFeatureSetOperator(FeatureSetTask):
    """Retire a feature set; one that is not there is a success.

    AWS keeps the offline data and the Glue table unless asked. They go first, so that a refused deletion leaves a
    whole feature set, not orphaned data.

    :param feature_set: name of the feature set (templated)
    :param delete_offline_data: whether to delete the offline store's objects in S3 too
    :param delete_glue_table: whether to delete the offline store's Glue table too
    :param wait_for_completion: whether to wait until the feature set is gone
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which the wait ends and the task fails
    :return: whether there was a feature set to delete
    """

    def __init__(
        self,
        *,
        delete_offline_data: bool = False,
        delete_glue_table: bool = False,
        wait_for_completion: bool = True,
        poll_interval: float = 5,
        timeout: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.delete_offline_data = delete_offline_data
        self.delete_glue_table = delete_glue_table
        self.wait_for_completion = wait_for_completion
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> bool:
        """Delete, and attach to the definition's asset event that it is gone."""
        from festaf.provider.artifacts.deletion import Deletion

        deletion = Deletion(self.hook, self.log, self.poll_interval, self.timeout)
        found = self.hook.find(self.feature_set)
        if found is None:
            self.log.info("There is no feature set %s; nothing to delete", self.feature_set)
            return False
        if self.delete_offline_data:
            deletion.delete_data(found)
        if self.delete_glue_table:
            deletion.delete_table(found)
        deletion.delete(found)
        if self.wait_for_completion:
            deletion.wait(found)
            if self.delete_offline_data:
                # AWS may have written what it still held back when the data were deleted.
                deletion.delete_data(found)
        announce(context, self.outlets, found.definition(project=self.project, deleted=True))
        return True
