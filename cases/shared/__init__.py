"""What every verb works with: context, calendar, persons, packs, idempotency, entries of access and refusal."""
