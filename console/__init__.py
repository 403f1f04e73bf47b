"""Web pages for employers, staff and auditors."""
