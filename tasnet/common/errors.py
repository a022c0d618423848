"""Which exceptions are the package's own: one line for a person, where anything else is a bug with its traceback."""

from __future__ import annotations

import sys

from tasnet.common.printable import line

MOST = 1_000
"""characters of an error: with a path or two, what is wrong and what to do stay whole"""

_OWN = {
    "tasnet.network.variant": ("VariantError",),
    "tasnet.network.checkpoint": ("CheckpointError",),
    "tasnet.network.export": ("ExportError",),
    "tasnet.hailo.files.hn_whole": ("HNError",),
    "tasnet.hailo.files.har": ("HarError",),
    "tasnet.hailo.files.hef": ("HefError",),
    "tasnet.hailo.translate": ("TranslationError",),
    "tasnet.hailo.logs.classify": ("LogError",),
    "tasnet.hailo.compiler.find": ("DfcError",),
    "tasnet.hailo.compiler.limits": ("LimitsError",),
    "tasnet.hailo.chip.failure": ("RuntimeFailure",),
    "tasnet.hailo.chip.hailortcli": ("CliError",),
    "tasnet.hailo.execute": ("ExecuteError",),
    "tasnet.hailo.quantize": ("QuantizeError",),
    "tasnet.suite.numerics.metrics": ("MetricError",),
    "tasnet.suite.numerics.speech": ("SpeechError",),
    "tasnet.suite.numerics.parity": ("ParityError",),
    "tasnet.suite.observed.on_device": ("DeviceError",),
    "tasnet.suite.observed.bit_exact": ("BitExactError",),
    "tasnet.suite.run.recordings": ("CalibrationError",),
    "tasnet.suite.cases.case": ("CaseError",),
    "tasnet.suite.gate.checkout": ("GateError",),
    "tasnet.suite.history.run": ("RunError",),
    "tasnet.suite.ledger": ("LedgerError",),
    "tasnet.suite.numerics.listen": ("ListenError",),
    "tasnet.suite.numerics.emulated": ("EmulationError",),
    "tasnet.suite.numerics.thresholds": ("ThresholdError",),
    "tasnet.suite.numerics.parity_report": ("ParityReportError",),
    "tasnet.suite.run.pipeline": ("PipelineError",),
    "tasnet.suite.run.recipe": ("RecipeError",),
    "tasnet.suite.report.browser": ("BrowserError",),
    "tasnet.suite.report.sources": ("ReportError",),
    "tasnet.suite.report.support": ("SupportError",),
    "tasnet.suite.run.store": ("StoreError",),
    "tasnet.suite.observed.evidence": ("EvidenceError",),
    "tasnet.suite.notes.run_tables": ("OldRunsError",),
    "tasnet.suite.observed.sweep": ("SweepError",),
    "tasnet.suite.run.toolchains": ("ToolchainError",),
}


def own_errors() -> tuple[type[Exception], ...]:
    """The error classes of the modules that are imported: what isn't imported can't have been raised."""
    found = []
    for module, names in _OWN.items():
        for name in names:
            each = getattr(sys.modules.get(module), name, None)
            if isinstance(each, type) and issubclass(each, Exception):
                found.append(each)
    return tuple(found)


def one_line(error: BaseException) -> str:
    """The error's message on one line, printable and of bounded length; its class's name if it has none."""
    return line(" ".join(str(error).split()) or type(error).__name__, MOST)
