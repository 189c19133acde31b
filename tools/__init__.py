"""The workshop behind the Makefile: images, installing into a cluster, the demo, the inner loop."""
