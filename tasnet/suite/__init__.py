"""What is asserted: cases, stages, outcomes, the ledger, the pytest plugin and the report."""
