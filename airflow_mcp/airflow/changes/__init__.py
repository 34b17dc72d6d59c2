"""The changes: each looks at what it would do, and gives that with the way to do it."""
