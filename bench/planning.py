"""Times one plan of a large collection in its middle: half of it done, a window of Jobs at work."""

import statistics
import time

import builders
from bench.ground import domain_names
from novahunt_operator.planner import Limits, look, plan
from novahunt_operator.survey import World

_ROUNDS = 15


def seconds_of_a_plan(domains: int, window: int) -> float:
    """Return the median processor time of one look and one plan, in seconds."""
    world = _world(domains, window)
    taken = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        plan(look(world, Limits()), window)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def _world(count: int, window: int) -> World:
    names = domain_names(count)
    half = count // 2
    wishes = builders.spec(domains=[], concurrency=window, budget={"maxCredits": 10 * count}, refreshAfter="720h")
    hour_ago = builders.at(-3600)
    results = [builders.result(name, emails=7, credits_total=10, collected_at=hour_ago) for name in names[:half]]
    ended = [builders.complete(name) for name in names[max(0, half - 20) : half]]
    running = [builders.job(name) for name in names[half : half + window]]
    jobs = [*ended, *running]
    return builders.world(
        *names,
        of=builders.collection(wishes),
        jobs=jobs,
        pods=[builders.pod(job) for job in jobs],
        results=results,
    )
