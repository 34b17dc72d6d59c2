"""Text that people outside wrote: made whole, harmless to display, and marked as data."""
