from __future__ import annotations

from pathlib import Path

from bot.releases.snapshot import Difference, differences, pack, texts, unpack

PHRASINGS = """# ghi chú
topic: Hộ tịch
procedures:
  '1.001193':
    name: Đăng ký khai sinh
    phrasings:
    - làm giấy khai sinh
    - khai sinh cho bé
"""


def folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.yml").write_text(text, encoding="utf-8")
    return path


def test_what_is_packed_comes_out_as_it_was_comments_and_all(tmp_path: Path) -> None:
    source = folder(tmp_path / "a", ho_tich=PHRASINGS)
    (source / "faq").mkdir()
    (source / "faq" / "x.yml").write_text("topic: X\n", encoding="utf-8")
    packed = pack(source)
    out = unpack(packed, tmp_path / "b")
    assert (out / "ho_tich.yml").read_text(encoding="utf-8") == PHRASINGS
    assert texts(packed).keys() == {"ho_tich.yml", "faq/x.yml"}
    assert pack(out) == packed, "the same files give the same bytes"


def test_differences_name_the_entry_and_what_became_of_it(tmp_path: Path) -> None:
    before = pack(folder(tmp_path / "a", ho_tich=PHRASINGS))
    changed = PHRASINGS.replace("- khai sinh cho bé", "- đẻ con làm giấy gì").replace("Đăng ký khai", "Khai")
    after = pack(folder(tmp_path / "b", ho_tich=changed))
    where = "procedures → 1.001193 Khai sinh → "
    assert differences(before, after) == [
        Difference("ho_tich.yml", where + "name", "Đăng ký khai sinh", "Khai sinh"),
        Difference("ho_tich.yml", where + "phrasings", "khai sinh cho bé", ""),
        Difference("ho_tich.yml", where + "phrasings", "", "đẻ con làm giấy gì"),
    ]


def test_a_comment_is_no_difference_and_examples_are_compared_line_by_line(tmp_path: Path) -> None:
    intent = "nlu:\n- intent: greet\n  examples: |\n    - chào\n    - xin chào\n"
    before = pack(folder(tmp_path / "a", x=intent))
    after = pack(folder(tmp_path / "b", x="# mới\n" + intent + "    - chào bạn\n"))
    assert [(one.where, one.before, one.after) for one in differences(before, after)] == [
        ("nlu → greet → examples", "", "- chào bạn")
    ]


def test_a_file_may_come_and_go(tmp_path: Path) -> None:
    none, some = pack(folder(tmp_path / "a")), pack(folder(tmp_path / "b", ho_tich=PHRASINGS))
    assert any(one.after == "làm giấy khai sinh" for one in differences(none, some))
    assert any(one.before == "làm giấy khai sinh" for one in differences(some, none))
