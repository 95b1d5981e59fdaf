"""Words about posts: the writer drafts them from a brief, the narrator tells what they earned."""
