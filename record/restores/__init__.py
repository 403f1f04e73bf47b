"""Restores of the database: declared, and told to the workflows of cases."""
