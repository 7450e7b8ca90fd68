"""The project: configuration, graph file, templates, and the graph that is built from them."""
