"""The fixtures of all suites, as plugins."""

pytest_plugins = [
    "fix_postgres",
    "fix_emulator",
    "fix_house",
    "fix_publishing",
    "x_emulator.pytest_plugin",
]
