"""The README's Python, run in order as a reader would run it."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)

# The same lines on less, for a reader has more time than a test.
SHORTER = {
    "silica-pristine-3000": "silica-pristine-648",
    "silica-densified-20GPa-300K-3000": "silica-pristine-648",
    "temperature=3000)": (
        "temperature=3000, compress_time=0.02, hold_time=0.02, cooling_rate=1e5, "
        "release_time=0.02, anneal_time=0.02, final_cooling_rate=1e5, relax_time=0.02)"
    ),
    "100_000": "500",
    "n_null=50": "n_null=9",
}


@pytest.mark.parametrize("long", SHORTER)
def test_what_is_shortened_stands_in_the_readme(long: str) -> None:
    assert long in "".join(BLOCKS)


# A glass has a few atoms in no ring, of which the ring search warns.
@pytest.mark.filterwarnings("ignore:.*are in no ring")
def test_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One namespace for all blocks; a warning fails as everywhere in the tests."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for number, block in enumerate(BLOCKS, start=1):
        for long, short in SHORTER.items():
            block = block.replace(long, short)
        exec(compile(block, f"README.md, Python block {number}", "exec"), namespace)
        plt.close("all")
    assert "nan" not in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
