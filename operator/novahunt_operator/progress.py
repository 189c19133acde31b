"""The last progress that each collector reported; memory only, for the status of running domains."""

from collections.abc import Mapping

from novahunt_contract.intake import Progress


class ProgressBoard:
    """Progress by pod UID."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}

    def put(self, pod_uid: str, progress: Progress) -> bool:
        """Keep a report; tell whether it says anything new."""
        if self._progress.get(pod_uid) == progress:
            return False
        self._progress[pod_uid] = progress
        return True

    def get(self) -> Mapping[str, Progress]:
        """Return all reports."""
        return self._progress

    def keep_only(self, pod_uids: set[str]) -> None:
        """Forget pods that are not there any more."""
        for uid in self._progress.keys() - pod_uids:
            del self._progress[uid]
