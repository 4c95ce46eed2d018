"""Asks an installed Hydra 1.3: one question per line on stdin (JSON), one answer per line on stdout.

A question: folder, config_name, overrides, multirun, env. An answer: config, or jobs with results, or error.
"""

import copy
import json
import math
import os
import sys
import warnings

from hydra import initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict

LARGEST = 2**63


def plain(value):
    """A resolved value as JSON, with the tags that git-ar uses."""
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: plain(item) for key, item in value.items()}
        return {"$map": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, int) and not isinstance(value, bool) and not -LARGEST <= value < LARGEST:
        return {"$int": str(value)}
    return value


def resolved(config):
    HydraConfig.instance().set_config(config)
    task = copy.deepcopy(config)
    with open_dict(task):
        del task["hydra"]
    return {"config": plain(OmegaConf.to_container(task, resolve=True))}


def compose(hydra, question, mode):
    return hydra.compose_config(
        config_name=question["config_name"],
        overrides=question["overrides"],
        run_mode=mode,
        from_shell=True,
        with_log_configuration=False,
    )


def sweep(hydra, question):
    master = compose(hydra, question, RunMode.MULTIRUN)
    HydraConfig.instance().set_config(master)
    params = [f"{key}={value}" for key, value in (master.hydra.sweeper.params or {}).items()]
    lines = params + OmegaConf.to_container(master.hydra.overrides.task)
    parser = OverridesParser.create(config_loader=hydra.config_loader)
    jobs = [list(job) for job in BasicSweeper.split_arguments(parser.parse_overrides(lines), None)[0]]
    results = []
    for number, job in enumerate(jobs):
        config = hydra.config_loader.load_sweep_config(master, job)
        with open_dict(config):
            config.hydra.job.id = f"job_id_for_{number}"
            config.hydra.job.num = number
        results.append(resolved(config))
    return {"jobs": jobs, "results": results}


def answer(question):
    before = dict(os.environ)
    os.environ.update(question.get("env") or {})
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None
    try:
        with initialize_config_dir(question["folder"], version_base="1.3", job_name="train"):
            hydra = GlobalHydra.instance().hydra
            if question.get("multirun"):
                return sweep(hydra, question)
            return resolved(compose(hydra, question, RunMode.RUN))
    except Exception as error:  # any error is an answer
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        os.environ.clear()
        os.environ.update(before)


warnings.simplefilter("ignore")
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
