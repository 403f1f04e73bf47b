"""The world outside: stand-ins of the exit-entry administration, mail, SMS, webhooks and the issuer of tokens."""
