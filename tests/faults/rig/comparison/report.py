"""The report of a run: all comparisons, and the printed table."""

from __future__ import annotations

from tests.faults.rig.comparison import believed, notified, projected, published, sequenced, stored
from tests.faults.rig.comparison.evidence import gather
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.comparison.idle import wait_until_idle
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.rig import Rig
from tools.local.stack import ALL_FOUR


def compare(rig: Rig) -> None:
    """Wait until the platform is idle, then compare the acknowledgements with the servers' contents."""
    findings = rig.findings
    rig.expect(wait_until_idle(rig.platform, AT_MOST), f"the platform did not become idle within {AT_MOST:.0f} s")
    evidence = gather(rig.platform)
    stored.compare(evidence, rig.acknowledged, findings)
    sequenced.compare(evidence, findings)
    published.compare(evidence, rig.injected, findings)
    projected.compare(rig.platform, evidence, findings)
    notified.compare(evidence, rig.desks().secretariat, findings)
    believed.compare(evidence, findings)


def render(findings: Findings) -> list[str]:
    """Return the lines of the report: the table of figures, the findings, and the sums."""
    lines = [" " * 28 + "".join(f"{service:>17}" for service in ALL_FOUR)]
    for row, figures in findings.figures.items():
        cells = "".join(f"{figures[service]:>17,}" if service in figures else " " * 17 for service in ALL_FOUR)
        lines.append(f"{row:<28}{cells}")
    kinds = {"lost": findings.lost, "doubled": findings.doubled, "stuck": findings.stuck, "believed": findings.believed}
    sums = "   ".join(f"{kind} {len(findings_of)}" for kind, findings_of in kinds.items())
    return [*lines, "", *findings.named(), sums]
