"""Run fullrmc on a task from standard input; executed by an interpreter that has it, not by ours.

fullrmc 4.1.0 was written for Python before 3.10 and NumPy before 1.24: what it misses in later
ones is put back first.
"""

import json
import os
import sys
import time
import types
import warnings

import numpy as np

warnings.simplefilter("ignore")
sys.modules.setdefault("parser", types.ModuleType("parser"))
for name in ("float", "int", "bool", "object", "str"):
    if name not in np.__dict__:
        setattr(np, name, getattr(__import__("builtins"), name))

task = json.load(sys.stdin)
# it talks on standard output; the answer alone shall stand there
answer = os.dup(1)
os.dup2(2, 1)

from fullrmc.Constraints.AtomicCoordinationConstraints import (  # noqa: E402
    AtomicCoordinationNumberConstraint,
)
from fullrmc.Constraints.StructureFactorConstraints import StructureFactorConstraint  # noqa: E402
from fullrmc.Engine import Engine  # noqa: E402
from fullrmc.Generators.Translations import TranslationGenerator  # noqa: E402
from fullrmc.Globals import LOGGER  # noqa: E402

LOGGER.set_log_to_stdout_flag(False)
engine = Engine(path=None)
engine.set_pdb(task["pdb"], np.array(task["cell"], dtype=np.float32), elements=task["elements"])
constraints = [
    StructureFactorConstraint(
        np.array(data["points"], dtype=np.float32),
        atomsWeight=data["weights"],
        rmin=0.5,
        rmax=task["r_max"],
        dr=task["bin"],
    )
    for data in task["data"]
]
shell = AtomicCoordinationNumberConstraint() if task["shell"] else None
engine.add_constraints(constraints + ([shell] if shell else []))
if shell:
    shell.set_coordination_number_definition([("Si", "O", *task["shell"], 4, 4)])
engine.set_groups_as_atoms()
for group in engine.groups:
    group.set_move_generator(TranslationGenerator(group=group, amplitude=task["step"]))

engine.save(os.path.join(task["folder"], "engine.rmc"))  # it does not run without
engine.run(numberOfSteps=max(1, task["moves"] // 20), saveFrequency=10**9, restartPdb=None)
accepted = engine.accepted
curve = constraints[0].get_constraint_value()["total"].tolist()
cpu, wall = time.process_time(), time.perf_counter()
engine.run(numberOfSteps=task["moves"], saveFrequency=10**9, restartPdb=None)
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
found = {
    "cpu": task["moves"] / cpu,
    "wall": task["moves"] / wall,
    "curve": curve,
    "accepted": (engine.accepted - accepted) / task["moves"],
}
os.write(answer, (json.dumps(found) + "\n").encode())
