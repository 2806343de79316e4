"""Parts of the page on prototypes."""
