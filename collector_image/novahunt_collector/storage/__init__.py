"""Where documents go: a folder, the operator's intake, or memory, behind one interface."""
