"""``fsm-smtp compare``: JSON reports of ``fsm-smtp check`` side by side."""

import click

from fsm_smtp.cli.terminal import console, json_option

EPILOG = """\b
Examples:
  fsm-smtp compare postfix.json exim.json sendmail.json
  fsm-smtp compare before.json after.json --html compared.html
  fsm-smtp compare a.json b.json --all
  fsm-smtp compare a.json b.json --json - | jq '.cases[] | select(.differs)'

\b
Exit codes:
  0  compared; a difference is no verdict
  2  wrong usage, or a file that is no report of this schema
"""


@click.command(epilog=EPILOG)
@click.argument("files", metavar="A.json B.json …", nargs=-1, required=True)
@json_option
@click.option("--html", "html_file", metavar="FILE", help="… as one HTML page, with every case.")
@click.option("--all", "everything", is_flag=True, help="Every case, not only those that differ.")
def compare(
    files: tuple[str, ...], json_file: str | None, html_file: str | None, everything: bool
) -> None:
    """Show JSON reports of `fsm-smtp check` side by side: servers across, cases down.

    Without --all only the cases on which they differ. The name of a file, without .json, is the
    name of its column.
    """
    from fsm_smtp.check.reports import compare as compared
    from fsm_smtp.check.reports.files import Outputs
    from fsm_smtp.check.reports.saved import UnreadableReport, read_report

    if len(files) < 2:
        raise click.UsageError("a comparison needs two reports or more")
    if html_file == "-":
        raise click.UsageError("--html: a page is written to a file")
    try:
        comparison = compared.compare_reports([read_report(file) for file in files])
    except UnreadableReport as error:
        raise click.UsageError(str(error)) from error
    outputs = Outputs()
    if html_file is not None:
        try:
            from fsm_smtp.check.reports.compare_html import comparison_html
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "jinja2":
                raise
            what = "--html needs a package: pip install 'fsm-smtp[html]'"
            raise click.UsageError(what) from error
        outputs.write("--html", html_file, lambda: comparison_html(comparison))
    if json_file is not None:
        outputs.write("--json", json_file, lambda: compared.comparison_json(comparison))
    if json_file != "-":
        compared.print_comparison(console(), comparison, everything=everything)
    if outputs.broken_pipe:
        raise BrokenPipeError
    if not outputs.written:
        click.get_current_context().exit(2)
