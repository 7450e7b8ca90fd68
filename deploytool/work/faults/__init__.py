"""One file a fault: inject, restore, verify restored, and what it proves."""
