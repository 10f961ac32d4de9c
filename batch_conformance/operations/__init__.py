"""Code for single operations, one folder each. Elsewhere, no path, member or status of the API is named."""
