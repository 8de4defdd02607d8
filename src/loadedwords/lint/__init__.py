"""For a standards desk: what in a story is loaded, why, and what plainer words would be."""
