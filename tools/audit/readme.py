"""The README for the auditor in every bundle."""

from __future__ import annotations

from typing import Any

_FSCK = '"$(go env GOPATH)/bin/fsck"'


def readme(manifest: dict[str, Any], traces: int) -> str:
    """Return the README: the bundle's content, and the commands that verify it."""
    services = manifest["services"]
    rows = "\n".join(f"| {name} | {log['size']} | `{log['root']}` | `{log['key']}` |" for name, log in services.items())
    programs = "\n".join(
        f'{_FSCK} --storage_url="file://$PWD/{name}/" --public_key={name}/log.vkey --N=8 --ui=false'
        for name in services
    )
    return f"""# Record of the deployment `{manifest["deployment"]}`

Exported {manifest["made_at"]} by version {manifest["version"]} of Throughline, read from {manifest["read_from"]}. Four
ledgers of events, each a tiled transparency log under a signed checkpoint, and the digests of {traces} traces.

| ledger | events | root of the tree | key |
|---|---|---|---|
{rows}

Compare these roots and keys with those you have from another source: an earlier export, a witness, a letter. A key
that you know only from this folder shows that the folder is whole, not who wrote it.

## Verify it

With Throughline, offline; it needs this folder and nothing else:

```
throughline audit verify . --key KEY --since EARLIER_EXPORT
```

Compose every trace again from the events, and compare it with the digests in `traces.json`:

```
throughline audit replay . --out rebuilt
throughline audit compare . --offline
```

Without Throughline, verify each ledger with a third-party program (github.com/transparency-dev/tessera, `cmd/fsck`):

```
{programs}
```

An event is a JSON text (CloudEvents 1.0) in `<ledger>/tile/entries/`, after its length in two bytes; `schemas/`
describes it. `previoushash` is the SHA-256 of the bytes of the previous event of its stream (`subject`,
`streamversion`). Names of persons are sealed: this bundle holds no key to them.
"""
