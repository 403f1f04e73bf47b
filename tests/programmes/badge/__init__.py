"""A programme of the tests alone whose cases persons own: one applies, an employer confirms, staff decides."""
