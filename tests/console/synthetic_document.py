"""A made-up document with all that a document may hold: each kind of part, each script of the fonts, hostile text."""

from datetime import UTC, datetime

from tools.console.pdf import Document, Drawing, Facts, Heading, Link, Paragraph, Points, Table

MADE_AT = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
ADDRESS = "https://throughline.example/traces/CED/2031/R1"
SCRIPTS = {
    "Latin": "Nghị quyết về ô nhiễm không khí",
    "Cyrillic": "Резолюция о загрязнении воздуха",
    "Greek": "Ψήφισμα για την ατμόσφαιρα",
    "Chinese": "关于区域合作应对空气污染挑战的决议",
    "Arabic": "قرار بشأن تلوث الهواء (ESCAP/75/4) في 2031",
    "Devanagari": "वायु प्रदूषण",
}
HOSTILE = [
    '#strong[markup] $x^2$ *a* _b_ @label <b>bold</b> \\ #eval("1") `raw` // comment /* */',
    "\u202eoverride\u202c \u2066isolate\u2069 zero\u200bwidth soft\u00adhyphen \ufeff",
    "ไทย 한국어 \U0001f600 \x00 \x1b[31m \ud800",
    "combining: e\u0301 q\u0302 a\u0331 Z̸̡̢͚",
    "W" * 500,
]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 60" width="400" height="60">'
    '<rect x="1" y="1" width="120" height="40" fill="#ffffff" stroke="#14506b"/>'
    '<text x="10" y="25" font-size="12" font-family="Noto Sans, sans-serif">Mandate</text>'
    '<path d="M121,20 L260,20" stroke="#5c7a88" fill="none"/></svg>'
)

DOCUMENT = Document(
    "Synthetic: a made-up trace",
    "en",
    [
        Heading("Where it stands"),
        Facts([("Standing", "transmitted"), ("Permanent address", Link("CED/2031/R1", ADDRESS))]),
        Heading("Lineage"),
        Drawing(SVG, "One mandate, drawn as a box; the same is in the table after it."),
        Table("The same in words", ["Script", "Text"], [list(pair) for pair in SCRIPTS.items()], (1, 4)),
        Heading("Hostile text", 2),
        Table("One a row", ["Number", "Text"], [[str(n), text] for n, text in enumerate(HOSTILE * 12)], (1, 6)),
        Heading("History"),
        Paragraph("A first line\nand a second one"),
        Paragraph(SCRIPTS["Arabic"]),
        Points(["One point", Link("Another", ADDRESS)]),
    ],
    MADE_AT,
    ADDRESS,
)
