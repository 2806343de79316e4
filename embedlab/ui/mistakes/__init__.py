"""Parts of the page on mistakes."""
