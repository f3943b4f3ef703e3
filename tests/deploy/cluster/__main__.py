"""The product in a whole Kubernetes on this machine, and the list of what ran: python -m tests.deploy.cluster.

The program of the cluster is built by `make cluster-binary`, once; without it this fails and says so.
"""

from __future__ import annotations

import argparse
import sys

from tests.deploy.__main__ import CLUSTER, exercise

if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, prog="python -m tests.deploy.cluster").parse_args()
    sys.exit(exercise([CLUSTER]))
