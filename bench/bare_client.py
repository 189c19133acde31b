"""The least that fetches a domain's pages with httpx: asks, reads and forgets. What the collector is compared with."""

import asyncio
import os
import sys

import httpx


async def main(domain: str, pages: int) -> None:
    """Fetch so many pages of 100, one after the other."""
    headers = {"User-Agent": "bare-client/1", "X-API-KEY": os.environ["HUNTER_API_KEY"]}
    async with httpx.AsyncClient(headers=headers) as http:
        for page in range(pages):
            query = {"domain": domain, "limit": "100", "offset": str(100 * page)}
            response = await http.get(f"{os.environ['HUNTER_BASE_URL']}/domain-search", params=query)
            response.raise_for_status()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
