"""The suites, as part of the installed package: ``pytest --pyargs batch_conformance.suites.client``."""
