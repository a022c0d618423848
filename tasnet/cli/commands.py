"""Groups of commands: their help in sections and whole sentences, with an example each; all refuse to lose an input."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from tasnet.cli.safe_outputs import outputs_are_not_inputs

SECTIONS = BY_HAND, PLANS, SUITE, RUNS, COMPILER = (
    "One case by hand",
    "From a checkpoint to the chip, in pieces",
    "The suite",
    "Stored runs, and the gate",
    "With the compiler and the chip",
)
"""of the help, in its order"""
_EXAMPLE = "Example: "
"""how the last paragraph of a command's docstring begins"""
_SETTINGS = {"help_option_names": ["-h", "--help"]}


class HelpWanted(Exception):
    """A group was called without a command: its help is what was wanted, and nothing was done."""


class Commands(typer.Typer):
    """A group of commands. A command's section in the group's help is its `rich_help_panel`."""

    def __init__(self, *, help: str, example: str, **settings: Any) -> None:
        super().__init__(
            cls=_Group,
            # Help is plain text: rich would take longer to import than everything else.
            rich_markup_mode=None,
            help=help,
            epilog=_shown_as_it_is(f"{_EXAMPLE}{example}"),
            context_settings=_SETTINGS,
            pretty_exceptions_enable=False,
            **settings,
        )

    def command(  # type: ignore[override]
        self, name: str | None = None, **settings: Any
    ) -> Callable[[Callable[..., int]], Callable[..., int]]:
        """As Typer's."""

        def registered(command: Callable[..., int]) -> Callable[..., int]:
            told, _, example = inspect.cleandoc(command.__doc__ or "").partition(f"\n\n{_EXAMPLE}")
            epilog = _shown_as_it_is(f"{_EXAMPLE}{example}")
            register = typer.Typer.command(
                self, name, cls=_Command, help=told, epilog=epilog, context_settings=_SETTINGS, **settings
            )
            return register(outputs_are_not_inputs(command))

        return registered


def _shown_as_it_is(text: str) -> str:
    """Not broken into lines of a width: an example is there to be copied."""
    return f"\b\n{text}"


class _Command(TyperCommand):
    """Typer writes the types of arguments beside their names, and braces around them."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces = ["[OPTIONS]"]
        for each in self.get_params(ctx):
            if each.param_type_name == "argument":
                piece = each.metavar if each.required else f"[{each.metavar}]"
                pieces.append(f"{piece}..." if each.nargs == -1 else f"{piece}")
        return pieces

    def format_options(self, ctx: Any, formatter: Any) -> None:
        arguments, options = [], []
        for each in self.get_params(ctx):
            if record := each.get_help_record(ctx):
                if each.param_type_name == "argument":
                    arguments.append((f"{each.metavar}", record[1]))
                else:
                    options.append(record)
        for heading, rows in {"Arguments": arguments, "Options": options}.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class _Group(TyperGroup):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise HelpWanted(ctx.get_help())
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands by sections, each with the whole of its first sentence."""
        sections: dict[str, list[tuple[str, str]]] = {each: [] for each in SECTIONS}
        for name, command in self.commands.items():
            said = " ".join((command.help or "").partition("\n\n")[0].split())
            sections.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append((name, said))
        width = max(map(len, self.commands))
        for section in filter(sections.get, sections):
            with formatter.section(section):
                # One width for all sections.
                formatter.write_dl([(name.ljust(width), said) for name, said in sections[section]])
