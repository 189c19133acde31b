"""What operator, gateway and command line share of the Kubernetes API: both kinds, typed, and calls."""
