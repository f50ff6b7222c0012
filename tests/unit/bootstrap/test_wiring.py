"""What goes on beside a scan."""

import subprocess
import sys

BROKEN_OFF = """
import sys, threading
import andon.bootstrap.wiring as wiring
threading.Thread(target=wiring._load_learner).start()
sys.exit(2)
"""


def test_a_command_that_ends_while_the_learner_loads_says_nothing_of_it() -> None:
    words = [sys.executable, "-c", BROKEN_OFF]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
