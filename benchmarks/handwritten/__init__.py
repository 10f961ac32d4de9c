"""What a good team would write by hand; the benchmark's second opponent. No part of the suite's own tests."""
