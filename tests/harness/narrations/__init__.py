"""Good and hostile narrations to test the narrator, and an oracle that finds numbers.

A narration is the text that a language model writes about the facts of a report. It must write each
number and each comparison as a slot, such as `{impressions}`.
"""
