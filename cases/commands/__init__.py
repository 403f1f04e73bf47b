"""Commands: stored first, applied in their order, signalled, resumed, swept; and what time does to a case."""
