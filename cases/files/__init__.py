"""Files of strangers: sheets read, and workbooks written, in processes of their own."""
