"""The long proofs that nothing is lost: `make soak`."""
