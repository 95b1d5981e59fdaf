"""The use cases, such as connecting accounts, publishing posts and writing reports."""
