"""The console's documents are PDF/UA-1 by veraPDF's judgement, and a document without tags is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import typst

from tests.cli.record_in_memory import public_traces
from tests.console.pdf_checks import assert_pdf_ua
from tests.console.synthetic_document import DOCUMENT
from tests.console.test_trace_document import a_document
from tools.console.pdf import write

pytestmark = pytest.mark.slow


def test_a_document_with_all_parts_and_a_trace_of_the_public_record_are_accepted(tmp_path: Path):
    (tmp_path / "document.pdf").write_bytes(write(DOCUMENT))
    (tmp_path / "trace.pdf").write_bytes(write(a_document(public_traces()["CED/2022/R1"])))
    assert_pdf_ua(tmp_path / "document.pdf", tmp_path / "trace.pdf")


def test_an_untagged_document_is_refused_with_the_rules_that_it_breaks(tmp_path: Path):
    typst.compile(b"Untagged", tmp_path / "untagged.pdf", pdf_tags=False)
    with pytest.raises(AssertionError, match=r"compliant=false(?s:.)*\n  7\.1-"):
        assert_pdf_ua(tmp_path / "untagged.pdf")
