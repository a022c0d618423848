"""The store: what is put comes back, once, whole, and in any number of processes."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasnet.suite.cases.outcome import Outcome, Provenance, Stage, Status
from tasnet.suite.run.har_pieces import array_spans
from tasnet.suite.run.store import (
    DamagedArtifact,
    DamageWarning,
    Store,
    StoreError,
    content_key,
    content_of,
    open_store,
)
from tests.doubles.scripted_toolchain import har_bytes

PROVENANCE = Provenance(toolchain="scripted", version="1", predicted=True, exhaustive=True)
PASSED = Outcome(stage=Stage.EXPORT, status=Status.PASSED, provenance=PROVENANCE, figures={"n": 1, "x": 1.5, "t": "1"})
KEY = content_key({"a": 1})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def bytes_on_disk(store):
    return sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())


# --- outcomes


def test_an_outcome_comes_back_equal_to_every_store_on_the_folder(store):
    assert store.outcome(KEY) is None
    store.put_outcome(KEY, PASSED)
    assert Store(store.root).outcome(KEY) == PASSED
    assert type(store.outcome(KEY).figures["t"]) is str


def test_keys_are_of_the_content_alone():
    assert content_key({"a": 1, "b": [2]}) == content_key({"b": [2], "a": 1}) != content_key({"a": 1, "b": [3]})


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-7],
        lambda data: b"",
        lambda data: b"\xff\x00",
        lambda data: b"[]",
        lambda data: json.dumps({**json.loads(data), "status": "splendid"}).encode(),
        lambda data: json.dumps({**json.loads(data), "new_field": 1}).encode(),
    ],
    ids=["cut", "empty", "no text", "no object", "unknown status", "other schema"],
)
def test_an_outcome_that_cant_be_read_is_absent_and_can_be_put_again(store, damage):
    store.put_outcome(KEY, PASSED)
    (file,) = (store.root / "outcomes").rglob("*.json")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(DamageWarning, match=file.name):
        assert store.outcome(KEY) is None
    assert not file.exists()
    assert list((store.root / "damaged").iterdir()), "set aside for a person"
    assert store.outcome(KEY) is None, "and said once"
    store.put_outcome(KEY, PASSED)
    assert store.outcome(KEY) == PASSED


@pytest.mark.parametrize("status", [Status.INFRA, Status.UNCLASSIFIED])
def test_what_taught_nothing_is_never_kept(store, status):
    store.put_outcome(KEY, PASSED.model_copy(update={"status": status}))
    assert store.outcome(KEY) is None


def test_the_disk_is_waited_for_where_it_took_long_or_was_kept_for_a_person(store, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    store.put_note("n" * 64, {"a": 1})
    store.put_outcome("a" * 64, PASSED)
    assert not flushed
    store.put_outcome("b" * 64, PASSED.model_copy(update={"seconds": 3600}))
    assert len(flushed) == 1
    store.put_file(b"a compiled file", ".hef")
    assert len(flushed) == 2


def test_the_disk_is_waited_for_with_a_compilers_har_and_not_with_a_predicted_one(store, tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    (tmp_path / "a.har").write_bytes(b"predicted")
    (tmp_path / "b.har").write_bytes(b"an hour of optimizing")
    store.put_har(tmp_path / "a.har")
    assert not flushed
    store.put_har(tmp_path / "b.har", lasting=True)
    assert len(flushed) == 2, "its bytes, and what they are put together by"


def test_notes_come_back_and_damaged_ones_are_absent(store):
    store.put_note(KEY, {"N": 512})
    assert store.note(KEY) == {"N": 512}
    (store.root / "notes" / f"{KEY}.json").write_text("{")
    with pytest.warns(DamageWarning):
        assert store.note(KEY) is None


# --- the root


def test_a_file_in_the_way_is_said_in_one_line(tmp_path):
    (tmp_path / "store").write_text("")
    for use in (
        lambda s: s.outcome(KEY),
        lambda s: s.put_outcome(KEY, PASSED),
        lambda s: s.put_file(b"x"),
        lambda s: s.lock(KEY).__enter__(),
        lambda s: open_store(s.root),
    ):
        with pytest.raises(StoreError) as caught:
            use(Store(tmp_path / "store"))
        assert str(tmp_path / "store") in str(caught.value)
        assert "choose another folder" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_said_in_one_line(tmp_path):
    root = tmp_path / "store"
    root.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        open_store(root)


def test_opening_removes_what_killed_runs_left_and_nothing_younger(store):
    store.put_file(b"kept")
    old, young = store.root / "tmp" / "old", store.root / "tmp" / "young"
    (old / "deep").mkdir(parents=True)
    young.mkdir()
    week = time.time() - 7 * 24 * 3600
    os.utime(old, (week, week))
    open_store(store.root)
    assert not old.exists()
    assert young.exists()
    assert len(list((store.root / "files").iterdir())) == 1


def test_nothing_unfinished_is_left(store):
    store.put_outcome(KEY, PASSED)
    with store.workspace() as folder:
        (folder / "x").write_text("")
    assert list((store.root / "tmp").iterdir()) == []


# --- files


def test_a_file_is_kept_once_by_its_content(store, tmp_path):
    (tmp_path / "one.log").write_bytes(b"text")
    name = store.put_file(tmp_path / "one.log", ".log")
    assert name == store.put_file(b"text", ".log")
    assert store.path(name).read_bytes() == b"text"
    assert store.holds(name)
    assert name == f"files/{content_of(name)}.log"


def test_a_missing_file_and_a_har_have_no_path(store):
    with pytest.raises(StoreError, match="run the case again"):
        store.path("files/0")
    with pytest.raises(StoreError, match="get_har"):
        store.path("har/0.parts")
    assert not store.holds("files/0")


# --- HARs


def put(store, tmp_path, data):
    (tmp_path / "in.har").write_bytes(data)
    return store.put_har(tmp_path / "in.har")


def got(store, tmp_path, name):
    return store.get_har(name, tmp_path / "out.har").read_bytes()


NAMES = st.text("abcdef/.", min_size=1, max_size=8)
ARRAYS = st.dictionaries(NAMES, st.binary(max_size=20).map(lambda b: b * 400), max_size=4)


@given(members=st.dictionaries(NAMES, st.binary(max_size=2000), max_size=3), arrays=ARRAYS)
@settings(max_examples=30)
def test_any_har_comes_back_byte_for_byte(tmp_path_factory, members, arrays):
    folder = tmp_path_factory.mktemp("har")
    data = har_bytes(members, arrays)
    store = Store(folder / "store")
    name = put(store, folder, data)
    assert got(store, folder, name) == data
    assert put(store, folder, data) == name


@given(data=st.binary(max_size=6000))
@settings(max_examples=30)
def test_any_file_at_all_comes_back_byte_for_byte(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("har")
    store = Store(folder / "store")
    assert got(store, folder, put(store, folder, data)) == data


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_har_never_breaks_the_split(data):
    whole = bytearray(har_bytes({"net.hn": b"{}"}, {"a.npy": b"a" * 5000, "b.npy": b"b" * 9000}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    spans = array_spans(cut)
    ends = [0, *(edge for span in spans for edge in span), len(cut)]
    assert ends == sorted(ends)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_numpy_and_tarfile_written_hars_come_back(store, tmp_path, compression, mode):
    npz = io.BytesIO()
    save = np.savez if compression == zipfile.ZIP_STORED else np.savez_compressed
    save(npz, **{"conv1/kernel:0": np.arange(9000, dtype=np.float32), "conv1/bias:0": np.zeros(3)})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as tar:
        for member, data in (("n" * 150 + ".npz", npz.getvalue()), ("net.hn", b"{}")):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = out.getvalue()
    split = compression == zipfile.ZIP_STORED and mode == "w"
    assert len(array_spans(data)) == (1 if split else 0)
    assert got(store, tmp_path, put(store, tmp_path, data)) == data


def test_hars_share_their_arrays(store, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"{i}.npy": rng.bytes(100_000) for i in range(10)}
    names = [put(store, tmp_path, har_bytes({"net.hn": b"%d" % i}, arrays)) for i in range(20)]
    assert len(set(names)) == 20
    assert bytes_on_disk(store) < 1_100_000


def test_a_har_with_a_damaged_or_lost_array_is_dropped_so_that_it_can_be_made_again(store, tmp_path):
    data = har_bytes({}, {"a.npy": b"a" * 5000})
    for damage in (lambda p: p.unlink(), lambda p: p.write_bytes(b"b" * p.stat().st_size)):
        name = put(store, tmp_path, data)
        assert got(store, tmp_path, name) == data
        (blob,) = (store.root / "blobs").iterdir()
        damage(blob)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DamageWarning)
            with pytest.raises(DamagedArtifact, match="run the case again"):
                store.get_har(name, tmp_path / "out.har")
        assert not store.holds(name)
    assert got(store, tmp_path, put(store, tmp_path, data)) == data


# --- many processes


def test_a_killed_holder_frees_its_lock(store):
    code = (
        f"import sys, time; sys.path[:0] = {sys.path!r}\n"
        "from pathlib import Path; from tasnet.suite.run.store import Store\n"
        f"with Store(Path({str(store.root)!r})).lock({KEY!r}):\n"
        "    print('held', flush=True); time.sleep(600)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline().strip() == b"held"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    with store.lock(KEY):
        pass
