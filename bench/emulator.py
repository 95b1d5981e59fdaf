"""`./dev bench emulator`; the code stands in `_emulator`, for `emulator` is a package of tests."""

from _emulator import main

if __name__ == "__main__":
    raise SystemExit(main())
