"""Official status pages: one reader a platform and form, found by what the page answers."""
