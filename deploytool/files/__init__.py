"""Floor 3: the adapter to the file system. Reads a project and writes a drill's history."""
