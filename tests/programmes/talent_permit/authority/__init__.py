"""Tests of `programmes.talent_permit.authority`."""
