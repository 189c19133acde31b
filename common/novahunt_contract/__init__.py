"""What operator, collector, gateway and command line must agree on, and nothing else."""

__version__ = "0.1.0"
