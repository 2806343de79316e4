"""What the page that compares runs shows, a module a view."""
