"""What the REST calls take and answer, as the OpenAPI page shows it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_ENTRY = 2048
"""Characters of a domain as people write it (the limit of the kind's schema)."""

MAX_DOMAINS = 10_000


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=MAX_ENTRY)


class CollectJob(_Asked):
    """A domain to collect; a URL, upper case and international names will do."""

    domain: str = Field(examples=["example.com"])


class Budget(_Asked):
    """Credits that may be spent."""

    maxCredits: int | None = Field(None, ge=0, le=1_000_000_000)  # noqa: N815 - as in the kind
    maxCreditsPerDomain: int | None = Field(None, ge=1, le=1_000_000_000)  # noqa: N815
    period: Literal["Lifetime", "Month"] = "Lifetime"


class NewCollection(_Asked):
    """A collection of many domains; fields mean what they mean in a DomainCollection's spec."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$", examples=["q4-prospects"])
    domains: list[str] = Field(min_length=1, max_length=MAX_DOMAINS)
    budget: Budget | None = None
    search: dict[str, Any] | None = None
    pageSize: int | None = Field(None, ge=1, le=100)  # noqa: N815
    maxResults: int | None = Field(None, ge=1, le=100_000)  # noqa: N815
    concurrency: int | None = Field(None, ge=1, le=1000)
    mode: Literal["Collect", "Estimate"] | None = None
    suspend: bool | None = None


class Refused(BaseModel):
    """Why a call did nothing."""

    ok: Literal[False] = False
    error: str


class Enqueued(BaseModel):
    """The job of a domain."""

    ok: Literal[True] = True
    jobId: str  # noqa: N815
    domain: str
    status: str
    message: str


class Status(BaseModel):
    """How far a domain is."""

    ok: Literal[True] = True
    jobId: str  # noqa: N815
    domain: str
    status: Literal["queued", "processing", "completed", "failed"]
    progress: int = Field(ge=0, le=100)
    hasStoredResults: bool  # noqa: N815
    itemCount: int  # noqa: N815
    total: int
    storedAt: str | None  # noqa: N815
    collection: str
    error: str | None = None
    waitsFor: str | None = None  # noqa: N815


class Shown(BaseModel):
    """A collection, as kubectl shows it."""

    name: str
    namespace: str
    createdAt: str  # noqa: N815
    generation: int
    spec: dict[str, Any]
    status: dict[str, Any]


class Made(BaseModel):
    """One collection."""

    ok: Literal[True] = True
    collection: Shown


class Listed(BaseModel):
    """All collections of a namespace."""

    ok: Literal[True] = True
    collections: list[Shown]
