"""Compiled policies, remembered by version: a version never changes, so what it compiles to does not either."""

import threading
from collections import OrderedDict
from uuid import UUID

from dispatcher.rules.policy import Policy, compile_policy
from dispatcher.store.db import Tx
from dispatcher.store.policies import read_version
from schema.states import CampaignStatus

REMEMBERED = 1024


class _Memory:
    """The most recently used policies. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._policies: OrderedDict[UUID, Policy] = OrderedDict()

    def get(self, policy_version_id: UUID) -> Policy | None:
        with self._lock:
            policy = self._policies.get(policy_version_id)
            if policy is not None:
                self._policies.move_to_end(policy_version_id)
            return policy

    def keep(self, policy_version_id: UUID, policy: Policy) -> None:
        with self._lock:
            self._policies[policy_version_id] = policy
            while len(self._policies) > REMEMBERED:
                self._policies.popitem(last=False)


_memory = _Memory()


def policy_of(tx: Tx, policy_version_id: UUID, status: CampaignStatus) -> Policy:
    """Return a policy version's rules under the campaign's current status."""
    policy = _memory.get(policy_version_id)
    if policy is None:
        version = read_version(tx, policy_version_id)
        policy = compile_policy(version.body, campaign_id=version.campaign_id, status=status)
        _memory.keep(policy_version_id, policy)
    return policy.with_status(status)
