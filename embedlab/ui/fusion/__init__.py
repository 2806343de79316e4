"""What the page on pictures and tables shows, a module a part."""
