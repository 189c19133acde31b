"""A real Kubernetes on one machine, built from package registries alone, for NovaHunt's tests and first tries."""
