"""One module per routing method.

Each has ID, CASES, inputs(case, rng) → Inputs, route(case, hidden_TD, tensors) → Sparse or Dense, and where it is
wanted interesting(case, routing, tensors): whether what is special about the method happens in this case.
"""
