"""The drill: run, observe, undo, restore."""
