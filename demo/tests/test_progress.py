from io import StringIO

from demo.progress import Progress


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_line_for_every_twentieth():
    log = StringIO()
    progress = Progress(title="Shop", total=2_000, done=0, stream=log)

    for _batch in range(200):
        progress.advance(10)

    lines = log.getvalue().splitlines()
    assert len(lines) == 20
    assert lines[0] == "Shop:   5 %, 100 of 2,000 events"
    assert lines[-1] == "Shop: 100 %, 2,000 of 2,000 events"
    assert "\r" not in log.getvalue()


def test_what_was_done_before_counts():
    log = StringIO()

    Progress(title="Shop", total=100, done=50, stream=log).advance(5)

    assert log.getvalue() == "Shop:  55 %, 55 of 100 events\n"


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    progress = Progress(title="Shop", total=100, done=0, stream=terminal)

    progress.advance(100)
    progress.close()

    assert "100/100" in terminal.getvalue()
