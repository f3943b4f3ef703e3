"""`throughline`: the platform from a terminal."""

import typer

from tools.cli.audit_prove import prove, verify_proof
from tools.cli.audit_replay import compare, diff
from tools.cli.audit_replay import replay as audit_replay
from tools.cli.auditing import audit
from tools.cli.dead_letters import dead_letters
from tools.cli.importing import importing
from tools.cli.issuing import token
from tools.cli.privacy import privacy
from tools.cli.reading import coverage, trace, traces
from tools.cli.rebuilding import rebuild
from tools.cli.refilling import refill
from tools.cli.replaying import replay
from tools.cli.simulate import simulate
from tools.cli.stack import stack

app = typer.Typer(
    help="The thread from a mandate, through a technical expert group, to what the Committee did with it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(stack, name="stack")
app.command()(token)
app.add_typer(importing, name="import")
app.command()(trace)
app.command()(traces)
app.command()(coverage)
app.command()(rebuild)
app.command()(replay)
app.command()(refill)
app.command()(simulate)
audit.command("replay")(audit_replay)
audit.command()(compare)
audit.command()(diff)
audit.command()(prove)
audit.command("verify-proof")(verify_proof)
app.add_typer(audit, name="audit")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(privacy, name="privacy")

if __name__ == "__main__":
    app()
