"""The suites in the installed package: ``pytest --pyargs batch_conformance.suites.client``."""
