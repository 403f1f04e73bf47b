"""The texts of notices in three languages, and the exact text and hash of each one sent."""

from texts.notices.facts import NoticeFacts, ObjectionRemedy, Reason, Remedy
from texts.notices.rendering import Rendered, render, render_digest, render_together, text_hash

__all__ = [
    "NoticeFacts",
    "ObjectionRemedy",
    "Reason",
    "Remedy",
    "Rendered",
    "render",
    "render_digest",
    "render_together",
    "text_hash",
]
