"""What Hunter charges: one credit for 1 to 10 addresses of one answer, rounded up per answer, nothing for none.

From Hunter's API documentation, read 2026-11.
"""

ADDRESSES_PER_CREDIT = 10


def of_answer(addresses: int) -> int:
    """Return the credits that one answer with so many addresses costs; of a request's limit, the most it can cost."""
    return -(-addresses // ADDRESSES_PER_CREDIT)


def of_domain(addresses: int, page_size: int) -> int:
    """Return the credits that so many addresses cost when they are asked for in pages of that size (1 to 100)."""
    pages, rest = divmod(addresses, page_size)
    return pages * of_answer(page_size) + of_answer(rest)
