from __future__ import annotations

import shutil
from pathlib import Path

from bot import phrasebook


def test_what_is_retired_stays_in_its_file_and_is_not_known(tmp_path: Path) -> None:
    folder = tmp_path / "nlu_data"
    shutil.copytree(phrasebook.NLU_DATA, folder)
    path = folder / "faq" / "lien-he-phan-anh.yml"
    path.write_text(path.read_text().replace("  duong-day-nong:\n", "  duong-day-nong:\n    retired: true\n"))
    path = folder / "phrasings" / "xuat-nhap-canh.yml"
    kept = "  '1.001456':\n    owner: Lan\n    review: 2027-01-31\n"
    path.write_text(path.read_text().replace("  '1.001456':\n", kept))
    before, after = phrasebook.load(), phrasebook.load(folder)
    assert before.faq.keys() - after.faq.keys() == {"duong-day-nong"}
    assert after.entries["1.001456"].owner == "Lan"
    assert after.entries.keys() == before.entries.keys()
