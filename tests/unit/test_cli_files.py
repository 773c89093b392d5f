from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from stream_kpi.cli.files import read_lines
from stream_kpi.errors import UserError


def test_blank_lines_are_passed_over_but_counted(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one\n\n  \r\ntwo")
    assert [(line.number, line.text) for line in read_lines(file)] == [(1, b"one"), (4, b"two")]


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert [line.text for line in read_lines(file)] == [b"one", b"two"]


def test_how_far_the_file_is_read_ends_at_its_size_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for content in (b"one\n" * 9000, gzip.compress(b"one\n" * 9000)):
        file.write_bytes(content)
        read = [line.read_bytes for line in read_lines(file)]
        assert read == sorted(read)
        assert read[-1] == len(content)


def test_a_damaged_gzip_file_is_told_from_one_that_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "a"
    whole = gzip.compress(bytes(range(256)) * 50)
    file.write_bytes(whole[:-9])
    with pytest.raises(UserError, match="cut short"):
        list(read_lines(file))
    file.write_bytes(whole[:40] + b"\0" * 40 + whole[80:])
    with pytest.raises(UserError, match="damaged"):
        list(read_lines(file))


def test_a_folder_and_an_empty_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path}: Is a directory"):
        list(read_lines(tmp_path))
    file = tmp_path / "a"
    file.touch()
    with pytest.raises(UserError, match="the file is empty"):
        list(read_lines(file))
