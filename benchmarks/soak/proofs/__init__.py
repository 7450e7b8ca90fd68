"""The proofs, one module each. A module's `PROOF` is found by itself: no list names it."""

import importlib
import pkgutil

from benchmarks.soak.proof import Proof


def all_proofs() -> list[Proof]:
    """Return every proof of this folder, in the order of their names."""
    proofs = []
    for module in pkgutil.iter_modules(__path__):
        proof = importlib.import_module(f"{__name__}.{module.name}").PROOF
        if not isinstance(proof, Proof):
            raise TypeError(f"benchmarks/soak/proofs/{module.name}.py: PROOF is no Proof")
        proofs.append(proof)
    return sorted(proofs, key=lambda each: each.name)
