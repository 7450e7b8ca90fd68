"""MiniStack, the emulator of the control plane, and what is patched in it."""
