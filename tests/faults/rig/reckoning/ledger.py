"""The ledger of a run: every setting-against, and how it is printed."""

from __future__ import annotations

from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.reckoning import notified, projected, published, sequenced, stored
from tests.faults.rig.reckoning.evidence import gather
from tests.faults.rig.reckoning.findings import Findings
from tests.faults.rig.reckoning.settling import settled
from tests.faults.rig.rig import Rig
from tools.local.stack import ALL_FOUR


def reckon(rig: Rig) -> None:
    """Wait until the platform has come to rest, then set what was acknowledged against all that it holds."""
    findings = rig.findings
    rig.expect(settled(rig.platform, AT_MOST), f"the platform did not come to rest within {AT_MOST:.0f} s")
    evidence = gather(rig.platform)
    stored.reckon(evidence, rig.acknowledged, findings)
    sequenced.reckon(evidence, findings)
    published.reckon(evidence, rig.injected, findings)
    projected.reckon(rig.platform, evidence, findings)
    notified.reckon(evidence, rig.desks().secretariat, findings)


def printed(findings: Findings) -> list[str]:
    """Return the table of figures, what is wrong by name, and the sums."""
    lines = [" " * 28 + "".join(f"{service:>17}" for service in ALL_FOUR)]
    for row, figures in findings.figures.items():
        cells = "".join(f"{figures[service]:>17,}" if service in figures else " " * 17 for service in ALL_FOUR)
        lines.append(f"{row:<28}{cells}")
    sums = f"lost {len(findings.lost)}   doubled {len(findings.doubled)}   stuck {len(findings.stuck)}"
    return [*lines, "", *findings.named(), sums]
