"""Tests of `record.reconciliation`."""
