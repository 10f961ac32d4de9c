"""List Batches, ``GET /v2/batch``: all batches of the key's organisation, newest first, filtered as asked.

Found by the names of its modules (:mod:`batch_conformance.contract.parts`): ``server_probes`` and ``server_checks`` for
servers, ``client_cases`` and ``client_checks`` for clients, ``handler`` for the reference server.
Its mutants stand with the others, in ``mutants/server`` and ``mutants/client``.
"""
