import base64

import pytest

from config import env

NAME = "SARAFAN_TRIED"


@pytest.fixture(autouse=True)
def _absent(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)


def refusal(read, *args, **kwargs):
    with pytest.raises(SystemExit) as stop:
        read(NAME, *args, **kwargs)
    return str(stop.value)


def test_an_empty_value_is_absent(monkeypatch):
    monkeypatch.setenv(NAME, " ")

    assert env.find(NAME) is None
    assert env.text(NAME, default="otherwise") == "otherwise"
    assert env.flag(NAME, default=True) is True
    assert env.number(NAME, default=3, least=1, most=9) == 3


def test_what_must_be_there_is_asked_for_by_name():
    assert refusal(env.text) == f"Settings: {NAME} is missing. See .env.example for what it is."


@pytest.mark.parametrize(
    ("value", "meant"), [("yes", True), ("ON", True), ("1", True), ("no", False), ("False", False)]
)
def test_a_flag_is_a_yes_or_a_no(monkeypatch, value, meant):
    monkeypatch.setenv(NAME, value)

    assert env.flag(NAME, default=not meant) is meant


@pytest.mark.parametrize(
    ("value", "read", "given", "complaint"),
    [
        ("perhaps", env.flag, {"default": False}, "is 'perhaps', and should be one of"),
        ("eight", env.number, {"default": 1, "least": 1, "most": 9}, "is 'eight', and should be a whole number from 1"),
        ("10", env.number, {"default": 1, "least": 1, "most": 9}, "is '10', and should be a whole number from 1 to 9"),
        ("-1", env.number, {"default": 1, "least": 1, "most": 9}, "is '-1', and should be"),
        ("٣", env.number, {"default": 1, "least": 1, "most": 9}, "should be a whole number"),
        ("LOUD", env.choice, {"default": "INFO", "among": ("INFO",)}, "is 'LOUD', and should be one of INFO."),
        ("mysql://host/name", env.database, {"default": None}, "should start with postgres:// or postgresql://."),
        ("postgresql://host:999999/name", env.database, {"default": None}, "is not an address."),
        ("postgresql://host", env.database, {"default": None}, "names no database"),
        ("short", env.key, {}, "should be 32 random bytes in base64"),
        ("c2hvcnQ=,c2hvcnQ=", env.keys, {}, "should be 32 random bytes in base64"),
    ],
)
def test_an_odd_value_stops_the_start_with_a_sentence(monkeypatch, value, read, given, complaint):
    monkeypatch.setenv(NAME, value)

    sentence = refusal(read, **given)

    assert sentence.startswith(f"Settings: {NAME} ")
    assert complaint in sentence


def test_a_key_is_told_to_nobody(monkeypatch):
    monkeypatch.setenv(NAME, "a-secret-of-the-wrong-length")

    assert "a-secret" not in refusal(env.key)


def test_keys_are_bytes(monkeypatch):
    monkeypatch.setenv(NAME, ", ".join(base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)))

    assert env.keys(NAME) == [b"\x01" * 32, b"\x02" * 32]


def test_a_database_is_given_as_an_address(monkeypatch):
    monkeypatch.setenv(NAME, "postgresql://us%40er:p%2Fw@db.example:5433/shop?sslmode=require")

    assert env.database(NAME, default=None) == {
        "NAME": "shop",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_may_be_behind_a_socket():
    found = env.database(NAME, default="postgresql://postgres@/sarafan?host=/run/sockets")

    assert (found["HOST"], found["NAME"], found["OPTIONS"]) == ("/run/sockets", "sarafan", {})


def test_a_file_gives_what_the_environment_does_not(monkeypatch, tmp_path):
    path = tmp_path / ".env"
    path.write_text(f"# A comment.\n\n{NAME}='from the file'\n{NAME}_TOO=from the file\n")
    monkeypatch.setenv(f"{NAME}_TOO", "from the environment")
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)

    env._read_file(path)

    assert env.text(NAME) == "from the file"
    assert env.text(f"{NAME}_TOO") == "from the environment"


def test_a_file_with_an_odd_line_stops_the_start(tmp_path):
    path = tmp_path / ".env"
    path.write_text("PORT=8000\nwhat is this\n")

    with pytest.raises(SystemExit, match=r"line 2 of \.env is not NAME=value"):
        env._read_file(path)


def test_every_variable_is_in_the_example():
    read = {
        word.split('"')[1]
        for path in [*(env.ROOT / "config").glob("*.py")]
        for word in path.read_text().split("env.")[1:]
        if word.split("(")[0] in {"text", "flag", "number", "choice", "words", "key", "keys", "url", "database"}
        and word.split("(", 1)[1].lstrip().startswith('"')
    }
    shown = {line.split("=")[0] for line in (env.ROOT / ".env.example").read_text().splitlines() if "=" in line}

    assert read - shown == {"SARAFAN_PROFILE"}
