import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from config.env import ROOT


@pytest.fixture
def respawn(tmp_path):
    """Start a nurse of a Python program, which finds `tmp_path` as its folder."""
    started = []

    def start(program, **environment):
        path = tmp_path / "program.py"
        path.write_text(program)
        command = f"{sys.executable} {path}"
        started.append(
            subprocess.Popen(
                [sys.executable, ROOT / "bin" / "respawn.py"],
                cwd=tmp_path,
                env={**os.environ, "COMMAND": command, **environment},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def await_child(nurse, *, other_than=None):
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        for child in psutil.Process(nurse.pid).children():
            if child.pid != other_than and child.status() != psutil.STATUS_ZOMBIE:
                return child
        time.sleep(0.02)
    raise AssertionError("No child came.")


def test_a_crash_is_followed_by_a_fresh_start(respawn):
    nurse = respawn("import time; time.sleep(60)")
    killed = await_child(nurse)

    killed.send_signal(signal.SIGKILL)

    assert await_child(nurse, other_than=killed.pid).is_running()


def test_the_end_of_the_command_is_the_end(respawn):
    nurse = respawn("pass")

    assert nurse.wait(10) == 0


def test_a_signal_is_passed_on_and_ends_both(respawn):
    nurse = respawn("import time; time.sleep(60)")
    child = await_child(nurse)

    nurse.send_signal(signal.SIGTERM)

    assert nurse.wait(10) == 0
    assert not child.is_running()


def test_the_command_ends_when_its_launcher_is_gone(respawn):
    launcher = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    nurse = respawn("import time; time.sleep(60)", SARAFAN_LAUNCHER=str(launcher.pid))
    child = await_child(nurse)

    launcher.kill()
    launcher.wait()

    assert nurse.wait(10) == 0
    assert not child.is_running()


def test_the_nurse_is_not_called_like_the_command(respawn):
    nurse = respawn("import time; time.sleep(60)")
    await_child(nurse)

    assert "program.py" not in " ".join(psutil.Process(nurse.pid).cmdline())
