"""What people read: notice templates and catalogues in three languages."""
