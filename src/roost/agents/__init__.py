"""Drafting of posts: briefs, the composer that drafts from them, and validators of drafts."""
