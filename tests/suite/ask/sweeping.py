"""A sweep that says what was answered first, and waits to be killed: `python -m tests.suite.ask.sweeping STORE N`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tasnet.hailo.predict import Reference
from tasnet.suite.ask.deciding import Asked, ask_here, ask_on_workers, decide
from tasnet.suite.ask.survey_maker import SurveyMaker
from tasnet.suite.cases import parse_case
from tasnet.suite.observed import open_workers
from tasnet.suite.run import Pipeline, Store
from tests.suite.ask.layer_limit import IDS, too_many


def told(asked: Asked, survey: object) -> None:
    print(asked.question.name, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    store, workers = Store(Path(sys.argv[1])), int(sys.argv[2])
    pipeline = Pipeline(store, too_many(8))
    now = SurveyMaker(Pipeline(store, Reference()), tuple(map(parse_case, IDS)), (), "hailo8").now
    if workers == 1:
        decide(now, ask_here(pipeline, "hailo8"), on_answer=told)
    with open_workers(pipeline, workers=workers) as over:
        decide(now, ask_on_workers(over, "hailo8"), on_answer=told)
