"""Web pages for employers, staff, auditors and the person, over the API and with no power that it has not."""
