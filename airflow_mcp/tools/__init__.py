"""The tools: one short function each, one file a toolset. The decorator is the only registration."""
