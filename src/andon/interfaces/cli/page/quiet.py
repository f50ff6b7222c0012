"""A log in which nothing was found: what was watched, how it went, and what could not be judged."""

from andon.chart.timeline import Mark
from andon.detect.registry import DETECTORS
from andon.incident.scan import Scan
from andon.interfaces.cli import words
from andon.interfaces.cli.page import pictures, sayings
from andon.interfaces.cli.page.incident import LETTERS, changes, keep
from andon.interfaces.cli.page.parts import Cell, ShownChange, ShownQuiet, Step
from andon.interfaces.cli.page.scene import Scene
from andon.interfaces.cli.page.spreads import spread
from andon.interfaces.cli.scan_text import Frame, watched_columns
from andon.inventory.model import Model


def show(scan: Scan, frame: Frame) -> ShownQuiet:
    """The quiet log in words and pictures."""
    zone, figures = frame.zone, None if scan.figures is None else scan.figures.whole
    every = list(zip(LETTERS, changes(frame.model, scan), strict=False))
    marks = tuple(Mark(each.at, letter) for letter, each in every)
    shown = tuple(
        ShownChange(letter, words.moment(each.at, zone), sayings.name(each.kind), sayings.text(each.what))
        for letter, each in every
    )
    scene = Scene("whole", scan.period, zone, marks)
    drawn = () if figures is None else (*pictures.courses(figures, scene), pictures.traffic_picture(figures, scene))
    judged = bool(scan.evaluations)
    decisions = words.judged(scan)
    return ShownQuiet(
        is_calm=judged,
        eyebrow="Nothing found" if judged else "Not judged",
        title=f"No silent failure found in {decisions}" if judged else f"Too short to judge: {decisions}",
        lede=_lede(scan, frame),
        cells=_cells(scan, frame),
        when_note="95% bands (Wilson)" + ("; letters: changes listed below" if marks else ""),
        courses=drawn,
        spread=None if figures is None else spread(figures, scene),
        looked_for=tuple((each.name, each.description) for each in DETECTORS if each.name in scan.detectors),
        not_judged=_not_judged(frame.model, scan),
        changes=shown,
        steps=_steps(frame),
    )


def _lede(scan: Scan, frame: Frame) -> str:
    if not scan.evaluations:
        return "No evaluation was over before the end of the log. A shorter --every, or more rows, lets it be judged."
    columns = words.of_things(len(watched_columns(frame.model)), "declared column", "declared columns")
    detectors = words.of_things(len(scan.detectors), "detector", "detectors")
    return (
        f"Each of {words.of_things(scan.evaluations, 'evaluation', 'evaluations')} saw only what was known then. "
        f"{detectors} looked at {columns}, and none passed its limit."
    )


def _cells(scan: Scan, frame: Frame) -> tuple[Cell, ...]:
    zone = frame.zone
    first, last = (at.astimezone(zone) for at in (scan.period.start, scan.period.end))
    figures = scan.figures
    reference = () if figures is None else (words.span(figures.reference_period, zone),)
    return (
        Cell(
            "Decisions" if scan.is_of_whole_log else "Judged decisions",
            f"{scan.rows:,}",
            (sayings.name(words.named(scan.model_id)),),
        ),
        Cell("From, to", f"{first.day} {first:%b}", (f"to {words.moment(last, zone)}",)),
        Cell("Evaluations", f"{scan.evaluations:,}", (f"one every {words.length(scan.evaluation)}",)),
        Cell(
            "Reference", "" if figures is None else f"{figures.reference_rows:,}", ("rows known to be good", *reference)
        ),
    )


def _not_judged(model: Model, scan: Scan) -> tuple[str, ...]:
    """What the model file gives no way to see."""
    columns = model.columns
    gaps = (
        (columns.label is None, "Whether answers were right: the model file names no label_column."),
        (columns.score is None, "How sure the model was: the model file names no score_column."),
        (columns.prediction is None, "What was decided: the model file names no prediction_column."),
        (not columns.entities, "Values that went stale: the model file names no entity_columns."),
        (not model.slice_columns, "Parts of the traffic: the model file names no segments."),
        (not model.protected, "Fairness: the model file names no protected_attributes."),
        (scan.versions is None, "Versions of the model: the log is not said to hold them (version_column)."),
        (not model.changes, "Causes: the model file lists no changes."),
    )
    always = "What each detector is blind to: andon show detectors."
    return (*(text for holds, text in gaps if holds), always)


def _steps(frame: Frame) -> tuple[Step, ...]:
    seen = Step("See what was looked for, and what each detector cannot see:", "andon show detectors", command=True)
    return (*keep(frame), seen)
