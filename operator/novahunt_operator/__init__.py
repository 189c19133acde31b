"""The operator: turns each DomainCollection into one Kubernetes Job per domain and records how each ended."""
