"""List Batches, ``GET /v2/batch``: all batches of the key's organisation, newest first, optionally filtered.

Modules are found by name (:mod:`batch_conformance.contract.parts`): ``server_probes`` and ``server_checks``
for servers, ``client_cases`` and ``client_checks`` for clients, ``handler`` for the reference server.
The mutants are in ``mutants/server`` and ``mutants/client``.
"""
