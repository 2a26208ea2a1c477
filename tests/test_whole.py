"""Files and folders that appear whole: what stands at every moment, and what is left behind."""

import os
import stat
import threading

import pytest

from analysis import whole


@pytest.fixture
def old(tmp_path):
    """A folder of results as one build left it."""
    folder = tmp_path / "results"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("old")
    return folder


def fill(folder, text):
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(text)


def texts(folder):
    return {path.read_text() for path in folder.iterdir()}


def test_a_file_is_written_or_left_as_it_was(tmp_path, monkeypatch):
    path = whole.write(tmp_path / "deep" / "a.txt", "é")
    assert path.read_bytes() == "é".encode()
    monkeypatch.setattr(whole, "_settle", lambda _: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        whole.write(path, "new")
    assert path.read_text(encoding="utf-8") == "é"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_several_files_appear_together(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    with whole.files(one, two) as drafts:
        for draft in drafts.values():
            draft.write_text("x")
        assert not one.exists() and not two.exists()
    assert one.read_text() == two.read_text() == "x"
    with pytest.raises(ValueError, match="stop"), whole.files(one, two) as drafts:
        drafts[one].write_text("y")
        raise ValueError("stop")
    assert texts(tmp_path) == {"x"}


@pytest.mark.parametrize("exchange", [whole._exchange, lambda *_: False])
def test_a_folder_takes_the_place_of_another(old, monkeypatch, exchange):
    monkeypatch.setattr(whole, "_exchange", exchange)
    with whole.folder(old) as draft:
        fill(draft, "new")
        assert texts(old) == {"old"}
    assert texts(old) == {"new"}
    with pytest.raises(ValueError, match="stop"), whole.folder(old) as draft:
        fill(draft, "newer")
        raise ValueError("stop")
    assert texts(old) == {"new"}
    assert [path.name for path in old.parent.iterdir()] == ["results"]


def test_a_folder_can_be_the_first(tmp_path):
    with whole.folder(tmp_path / "deep" / "results") as draft:
        fill(draft, "new")
    assert texts(tmp_path / "deep" / "results") == {"new"}


def test_others_may_read_what_was_written(tmp_path):
    """Drafts of tempfile are closed to other accounts; results of a server are not."""
    before = os.umask(0o022)
    try:
        with whole.folder(tmp_path / "results") as draft:
            fill(draft, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "results").stat().st_mode) == 0o755


def test_names_that_are_carried_over_are_kept(old):
    (old / "fr").mkdir()
    (old / "fr" / "index.html").write_text("old")
    with whole.folder(old, carry=lambda name: name != "a.csv") as draft:
        assert sorted(path.name for path in draft.iterdir()) == ["b.csv", "fr"]
        whole.write(draft / "b.csv", "new")
        assert (old / "b.csv").read_text() == "old"
    assert (old / "b.csv").read_text() == "new"
    assert (old / "fr" / "index.html").read_text() == "old"
    assert not (old / "a.csv").exists()


def test_a_folder_is_there_at_every_moment(old):
    """This system exchanges folders in one step: a reader never finds none."""
    missing, done = [], threading.Event()

    def look():
        while not done.is_set():
            if not (old / "a.csv").exists():
                missing.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(100):
        with whole.folder(old) as draft:
            fill(draft, str(number))
    done.set()
    reader.join()
    assert not missing


def test_a_link_to_a_folder_stays_one(old, tmp_path):
    (tmp_path / "link").symlink_to(old)
    with whole.folder(tmp_path / "link") as draft:
        fill(draft, "new")
    assert (tmp_path / "link").is_symlink() and texts(old) == {"new"}


def test_what_a_killed_program_left_is_put_right(tmp_path):
    (tmp_path / ".results.0a1b2c3d.part").mkdir()
    (tmp_path / ".a.csv.0a1b2c3d.part").write_text("half")
    # Killed between the two steps of a system that cannot exchange folders.
    (tmp_path / ".results.old").mkdir()
    (tmp_path / ".kept.part").write_text("not ours")
    (tmp_path / ".other.old").mkdir()
    (tmp_path / "other").mkdir()
    whole.sweep(tmp_path, "results")
    assert {path.name for path in tmp_path.iterdir()} == {
        "results", ".a.csv.0a1b2c3d.part", ".kept.part", ".other.old", "other"
    }  # fmt: skip
    whole.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results", ".kept.part", "other"}
