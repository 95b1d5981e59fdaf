"""Describes what is wrong with a command line that cannot be parsed, and how to fix it."""

import difflib
from collections.abc import Sequence
from enum import Enum
from typing import Final, Literal, get_args, get_origin

import cyclopts
from cyclopts import exceptions

from roost.cli import list_command_names
from roost.errors import InvalidInput

#: Maps the words of the command-line parser's validators to Roost's words.
_BOUNDS: Final = {"Must be >= ": "must be at least ", "Must be <= ": "must be at most "}


class UsageInvalid(InvalidInput):
    """The command line cannot be parsed."""


def describe_usage(error: cyclopts.CycloptsError, tokens: Sequence[str]) -> UsageInvalid:
    """Return an error that says what is wrong with a command line, and what to write instead."""
    command = " ".join(("roost", *(error.command_chain or ())))
    help_command = f"`{command} --help` lists the options."
    match error:
        case exceptions.UnknownOptionError():
            return _unknown_option(error, tokens, command)
        case exceptions.UnknownCommandError():
            return _unknown_command(error)
        case exceptions.UnusedCliTokensError():
            rest = " ".join(error.unused_tokens or ())
            return UsageInvalid(
                f"`{command}` does not take another argument: {rest!r}.",
                next=f"Put a text of several words in quotes. {help_command}",
            )
        case exceptions.MissingArgumentError():
            return _missing_value(error, tokens, command)
        case exceptions.CoercionError():
            return UsageInvalid(_describe_wrong_value(error), next=help_command)
        case exceptions.ValidationError() if error.argument is not None:
            reason = error.exception_message.removesuffix(".")
            for theirs, ours in _BOUNDS.items():
                reason = reason.replace(theirs, ours)
            return UsageInvalid(f"{_name(error, None)} {reason}.", next=help_command)
        case exceptions.RepeatArgumentError():
            return UsageInvalid(
                f"{error.token.keyword} is given more than once.", next="Give the option once."
            )
    message = str(error).strip() or "The command line is not valid."
    return UsageInvalid(message, next=help_command)


def _unknown_option(
    error: exceptions.UnknownOptionError, tokens: Sequence[str], command: str
) -> UsageInvalid:
    option = error.token.keyword or error.token.value
    if "--" in tokens and option in tokens[tokens.index("--") :]:
        return UsageInvalid(
            f"{option} is after `--`, where every argument is a text.",
            next="Write all options before `--`.",
        )
    if option == "-":
        return UsageInvalid(
            f"`{command}` does not read from standard input here.",
            next="`-` stands for the text of publish, check, edit --text and resolve --text.",
        )
    if not option.startswith("--") or " " in option:
        return UsageInvalid(
            f"{option!r} is not an option of `{command}`.",
            next="An argument that begins with `-` is read as an option. Write a text that begins"
            f' with `-` after all options and after `--`: {command} … -- "{option}".',
        )
    name = option.partition("=")[0]
    names = [one for argument in error.argument_collection for one in argument.names]
    return UsageInvalid(
        f"`{command}` has no option {name}.{_suggest(name, names)}",
        next=f"`{command} --help` lists the options.",
    )


def _unknown_command(error: exceptions.UnknownCommandError) -> UsageInvalid:
    (word, *_) = error.unused_tokens or [""]
    names = list_command_names()
    suggestion = f" Did you mean `roost {names[word]}`?" if word in names else ""
    what = "option" if word.startswith("-") else "command"
    return UsageInvalid(
        f"Roost has no {what} {word}.{suggestion or _suggest(word, list(names))}",
        next="`roost --help` lists the commands.",
    )


def _missing_value(
    error: exceptions.MissingArgumentError, tokens: Sequence[str], command: str
) -> UsageInvalid:
    name = _name(error, error.keyword)
    position = tokens.index(name) + 1 if name in tokens else len(tokens)
    if position < len(tokens) and tokens[position].startswith("-"):
        value = tokens[position]
        return UsageInvalid(
            f"{name} needs a value, and {value!r} is read as an option.",
            next=f'If it is the value, write it as {name}="{value}".',
        )
    need = "a value" if name.startswith("-") else "it"
    message = f"{name} needs {need}." if need == "a value" else f"`{command}` needs {name}."
    return UsageInvalid(message, next=f"`{command} --help` shows what to write.")


def _describe_wrong_value(error: exceptions.CoercionError) -> str:
    value = error.token.value if error.token else ""
    name = _name(error, error.token.keyword if error.token else None)
    kind = error.target_type
    choices = [str(choice) for choice in get_args(kind)] if get_origin(kind) is Literal else []
    if isinstance(kind, type) and issubclass(kind, Enum):
        # List the choices as the help does, with `-` for `_`; the parser treats both alike.
        choices = [str(member.value).replace("_", "-") for member in kind]
    if choices:
        return f"{name}: {value!r} is not one of {', '.join(choices)}.{_suggest(value, choices)}"
    if kind is int:
        return f"{name}: {value!r} is not a whole number."
    if kind is float:
        return f"{name}: {value!r} is not a number."
    return f"{name}: {value!r} is not a possible value."


def _name(error: cyclopts.CycloptsError, keyword: str | None) -> str:
    """Return the name of the option, or in capitals the name of the positional argument."""
    if keyword:
        return keyword
    if error.argument is None:
        return "The argument"
    for token in error.argument.tokens:
        if token.keyword:
            return token.keyword
    name = error.argument.name
    return name if name.startswith("-") else name.upper()


def _suggest(word: str, candidates: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, candidates, n=1)
    return f" Did you mean {close[0]}?" if close else ""
