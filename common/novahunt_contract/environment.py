"""The names of the environment variables that operator and collector read, and those one passes the other."""

WORKER_CONCURRENCY = "WORKER_CONCURRENCY"
WORKER_MAX_JOBS_PER_INTERVAL = "WORKER_MAX_JOBS_PER_INTERVAL"
WORKER_RATE_LIMIT_DURATION_MS = "WORKER_RATE_LIMIT_DURATION_MS"
HUNTER_API_KEY = "HUNTER_API_KEY"
HUNTER_PAGE_SIZE = "HUNTER_PAGE_SIZE"
HUNTER_MAX_COLLECT = "HUNTER_MAX_COLLECT"
HUNTER_REQUESTS_PER_SECOND = "HUNTER_REQUESTS_PER_SECOND"
"""Per key; may be a fraction where the operator passes a collector its static share."""
HUNTER_REQUESTS_PER_MINUTE = "HUNTER_REQUESTS_PER_MINUTE"
HUNTER_BASE_URL = "HUNTER_BASE_URL"
HUNTER_REPEATS_CHARGED = "HUNTER_REPEATS_CHARGED"
"""`true`: count a repeated request as paid again. Hunter gives it away within a billing period (its API
documentation, read 2026-11); what it takes for the same request where offsets differ is not documented."""

DEFAULT_BASE_URL = "https://api.hunter.io/v2"
DEFAULT_PAGE_SIZE = 100
DEFAULT_MAX_COLLECT = 5000
DEFAULT_REQUESTS_PER_SECOND = 15.0
DEFAULT_REQUESTS_PER_MINUTE = 500.0

# What the operator sets in a collector's Job, and a person on a terminal may leave out.
TASK = "NOVAHUNT_TASK"
"""`collect` (default), `estimate`, `sweep` or `erase`; see `errands`."""
DOMAIN = "NOVAHUNT_DOMAIN"
DOMAINS = "NOVAHUNT_DOMAINS"
"""The domains of an estimate in their one form, one a line."""
DOMAIN_CREDITS = "NOVAHUNT_DOMAIN_CREDITS"
"""`budget.maxCreditsPerDomain`; unset: none. Only for telling whether a truncated document still answers the wish."""
BUDGET = "NOVAHUNT_BUDGET"
"""`true`: no request that can cost credits is made without the intake's word, however long it is away."""
SUPPRESSION = "NOVAHUNT_SUPPRESSION"
"""JSON list of `{"name": …, "path": …}`: suppression lists, how people call them and the files that hold them."""
RETAIN_FROM = "NOVAHUNT_RETAIN_FROM"
"""A sweep removes what was collected before this time; unset: nothing is too old."""
COLLECTION = "NOVAHUNT_COLLECTION"
RUN = "NOVAHUNT_RUN"
JOB_ID = "NOVAHUNT_JOB_ID"
SEARCH = "NOVAHUNT_SEARCH"
"""`spec.search` as JSON."""
NOT_BEFORE = "NOVAHUNT_NOT_BEFORE"
"""A stored document collected at or after this time is fresh; unset: any is."""
STORAGE = "NOVAHUNT_STORAGE"
"""`intake` (ConfigMaps), or the folder that documents are stored in."""
STORAGE_INTAKE = "intake"
INTAKE_URL = "NOVAHUNT_INTAKE_URL"
"""`http://service.namespace.svc:port`; unset: no operator, the collector paces itself."""
INTAKE_TOKEN_FILE = "NOVAHUNT_INTAKE_TOKEN_FILE"  # noqa: S105 - the name of a variable
TERMINATION_LOG = "NOVAHUNT_TERMINATION_LOG"
"""File for the receipt; the operator sets /dev/termination-log."""
LOG_FORMAT = "NOVAHUNT_LOG_FORMAT"
"""`json` or `text`."""
