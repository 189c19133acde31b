"""A picture of the dashboard with real data, for docs/metrics.md: `make dashboard-picture`."""
