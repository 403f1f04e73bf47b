"""The console in a real browser, against the embedded stack: what people do, and what keeps some of them out."""
