"""`leadflow bots reclassify` and `leadflow bounces` as they are typed, on a workspace of their own."""

from pathlib import Path

from typer.testing import CliRunner

from leadflow.cli import main
from leadflow.cli.common import console
from leadflow.playbook.example import copy_example
from tests.intake.returned import bounce


def test_both_say_what_they_found_and_what_to_write_instead(tmp_path: Path) -> None:
    copy_example(tmp_path / "w")
    (tmp_path / "w" / ".env").write_text("LEADFLOW_SIMULATED=true\nLEADFLOW_BOUNCES=back.mbox\n")
    (tmp_path / "w" / "back.mbox").write_bytes(b"From MAILER-DAEMON Mon Mar 23 08:00:00 2026\n" + bounce() + b"\n")
    main._gather()

    def said(*words: str) -> tuple[int, str]:
        with console.capture() as captured:
            done = CliRunner().invoke(main.app, ["--lang", "en", *words, "--workspace", str(tmp_path / "w")])
        return done.exit_code, captured.get() + done.output

    assert "0  visits of links looked at" in said("bots", "reclassify")[1]
    code, text = said("bounces")
    assert (code, "1 mail taken in" in text, "1  bounced" in text) == (0, True, True)
    code, text = said("bounces", str(tmp_path / "nothing"))
    assert code == 2
