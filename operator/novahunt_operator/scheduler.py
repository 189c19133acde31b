"""Shares Job starts between collections: slots over all, starts per interval, priority, fairness."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from novahunt_api.objects import Key
from novahunt_operator.planner import Demand


class StartLimit:
    """At most so many Job starts in any interval; after a first burst they are spread evenly.

    The record is the operator's own; after a restart it is rebuilt from the Jobs' creation times.
    """

    def __init__(self, max_starts: int, interval: timedelta) -> None:
        """Take the starts per interval (0: no limit) and the interval."""
        self._max = max_starts
        self._interval = interval
        self._starts: deque[datetime] = deque()

    def record(self, at: datetime) -> None:
        """Count a start. Starts may be told in any order at first, and must then come in time's order."""
        if not self._max:
            return
        if self._starts and at < self._starts[-1]:
            self._starts = deque(sorted((*self._starts, at)))
        else:
            self._starts.append(at)
        while len(self._starts) > self._max:
            self._starts.popleft()

    def allowance(self, now: datetime) -> int | None:
        """Return how many Jobs may start now; None: any number."""
        if not self._max:
            return None
        if self._spreading(now):
            return 1 if self.next_at(now) <= now else 0
        return self._max - sum(now - at < self._interval for at in self._starts)

    def next_at(self, now: datetime) -> datetime:
        """Return the earliest time of the next start."""
        if not self._max or len(self._starts) < self._max:
            return now
        spread = self._starts[-1] + self._interval / self._max
        return max(now, self._starts[0] + self._interval, spread if self._spreading(now) else now)

    def _spreading(self, now: datetime) -> bool:
        """Whether the burst is used up: so many starts came, none of them after an idle interval.

        The limit itself allows nothing for an interval after a burst; idle is who waits longer than that.
        """
        if len(self._starts) < self._max:
            return False
        idle = self._interval + self._interval / self._max
        gaps = zip(self._starts, [*self._starts, now][1:], strict=False)
        return all(later - earlier < idle for earlier, later in gaps)


def share(free: int, demands: Mapping[Key, Demand], last_start: Mapping[Key, datetime]) -> dict[Key, int]:
    """Hand out free slots one by one: priority first, then the fewest running, then the longest without a start."""
    given = dict.fromkeys(demands, 0)
    for _ in range(max(0, free)):
        open_keys = [key for key, demand in demands.items() if demand.starts > given[key]]
        if not open_keys:
            break
        first = min(
            open_keys,
            key=lambda key: (
                -demands[key].priority,
                demands[key].running + given[key],
                last_start[key].timestamp() if key in last_start else 0.0,
                key,
            ),
        )
        given[first] += 1
    return given


class Scheduler:
    """Remembers what every collection wants and runs, and says how many Jobs one may start now."""

    def __init__(self, concurrency: int, limit: StartLimit) -> None:
        self.concurrency = concurrency
        self.limit = limit
        self._demands: dict[Key, Demand] = {}
        self._last_start: dict[Key, datetime] = {}

    @property
    def running(self) -> int:
        """Jobs at work over all collections, as last told or started."""
        return sum(demand.running for demand in self._demands.values())

    @property
    def _free(self) -> int:
        backing_off = sum(demand.backing_off for demand in self._demands.values())
        return self.concurrency - self.running if backing_off < self.concurrency else 0

    def tell(self, key: Key, demand: Demand) -> bool:
        """Take a collection's newest demand; tell whether it holds fewer slots than before."""
        before = self._demands.get(key)
        self._demands[key] = demand
        return before is not None and (demand.running, demand.backing_off) < (before.running, before.backing_off)

    def forget(self, key: Key) -> None:
        """Drop a collection that is gone."""
        self._demands.pop(key, None)
        self._last_start.pop(key, None)

    def allowed_errands(self, key: Key) -> int:
        """Return how many errands this collection may start now: they take slots, and no start of the interval."""
        wanted = {other: replace(demand, starts=demand.errands) for other, demand in self._demands.items()}
        return share(self._free, wanted, self._last_start).get(key, 0)

    def allowed(self, key: Key, now: datetime) -> int:
        """Return how many Jobs this collection may start now, when every errand has its slot."""
        free = self._free - sum(demand.errands for demand in self._demands.values())
        allowance = self.limit.allowance(now)
        if allowance is not None:
            free = min(free, allowance)
        return share(free, self._demands, self._last_start).get(key, 0)

    def started(self, key: Key, now: datetime) -> None:
        """Count a start, so that the limits hold before any watch has seen the Job."""
        self.limit.record(now)
        self._last_start[key] = now
        demand = self._demands[key]
        self._demands[key] = replace(demand, starts=max(0, demand.starts - 1), running=demand.running + 1)

    def errand_started(self, key: Key, now: datetime) -> None:
        """Count an errand's start."""
        self._last_start[key] = now
        demand = self._demands[key]
        self._demands[key] = replace(demand, errands=max(0, demand.errands - 1), running=demand.running + 1)

    def hungry(self, but: Key) -> list[Key]:
        """Name the other collections that would start Jobs: a slot may have come free for them."""
        return [key for key, demand in self._demands.items() if (demand.starts or demand.errands) and key != but]
