"""What a run has cost so far, by Hunter's rules; it outlives whatever ends the run."""

ADDRESSES_PER_CREDIT = 10
"""One credit for 1 to 10 addresses of one answer, nothing for none (Hunter's API documentation, read 2026-11)."""


class Tally:
    """Counts one domain's requests and credits."""

    def __init__(self) -> None:
        self.requests = 0
        """Every HTTP request to domain-search, answered or not."""
        self.credits = 0

    def asked(self) -> None:
        """Count a request that is about to be sent."""
        self.requests += 1

    def received(self, addresses: int) -> None:
        """Count what an answered page costs: each answer is rounded up by itself."""
        self.credits += -(-addresses // ADDRESSES_PER_CREDIT)
