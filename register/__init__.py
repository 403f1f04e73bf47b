"""Dated data and what comes in by the list: employers, premises, standing and its rollout, rule packs, rosters."""
