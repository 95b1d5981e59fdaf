"""Briefs, the composer that writes drafts of posts from briefs, and validators of drafts."""
