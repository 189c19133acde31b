"""Makes a release: what users need of one version, checked, listed and the same again from the same commit."""
