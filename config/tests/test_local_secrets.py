import base64
import stat

from config.local_secrets import local_secrets


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path):
    folder = tmp_path / "var"

    made = local_secrets(folder=folder)

    assert local_secrets(folder=folder) == made
    assert len(base64.b64decode(made["ENCRYPTION_KEY"])) == 32
    assert [path.name for path in folder.iterdir()] == ["secrets.json"]
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
