"""The garden: what the factors say is what is drawn."""

from __future__ import annotations

import colorsys
import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedlab.data.dataset import Pictures
from embedlab.data.garden import (
    BACKGROUNDS,
    FACTORS,
    HUES,
    KINDS,
    RANGES,
    Flower,
    build,
    draw,
    flower,
    garden,
    store,
    worker,
)
from embedlab.data.garden.factors import BACKGROUND_SHARES, FORMS, HUE_SHARES, PETALS
from embedlab.data.garden.pen import Frame, Sheet
from embedlab.data.garden.petals import Look, Whorl, paint_whorl
from embedlab.data.garden.table import HEIGHT_CM, MISSING, SCENT, table
from embedlab.home import home

PLAIN = Flower(
    seed=0, index=0, kind="daisy", form="flower", hue="white", background="dark", size=0.3,
    x=0.5, y=0.5, rotation_deg=0.0, tilt_deg=0.0, petals=20, openness=0.45, light=1.0,
    light_angle_deg=-90.0, warmth=0.0, blur=0.0, background_blur=1.0, noise=0.0, leaves=False,
    companion=False, grass=False,
)  # fmt: skip


def bright(picture: np.ndarray) -> np.ndarray:
    """Where a white head stands out from the dark, disc and lights left aside."""
    return (picture.min(axis=2) > 90).astype(float)


def centroid(mask: np.ndarray) -> tuple[float, float]:
    rows, cols = np.indices(mask.shape) + 0.5
    return (mask * cols).sum() / mask.sum(), (mask * rows).sum() / mask.sum()


def head(picture: np.ndarray, recipe: Flower, share: float = 0.9) -> np.ndarray:
    """Pixels of the head: those within a share of its radius."""
    rows, cols = np.indices(picture.shape[:2]) + 0.5
    side = len(picture)
    out = np.hypot(cols - recipe.x * side, rows - recipe.y * side)
    return picture[out < share * recipe.size * side].astype(float)


# --- recipes ---------------------------------------------------------------------------------


def test_recipes_hang_on_seed_and_index_alone() -> None:
    assert [flower(i).kind for i in range(5)] == list(KINDS)
    assert flower(7, seed=3) == flower(7, seed=3)
    assert len({flower(i, seed=s) for i in (7, 12) for s in (0, 1)}) == 4
    with pytest.raises(ValueError, match="negative"):
        flower(-1)


def test_many_recipes_keep_to_their_ranges_and_shares() -> None:
    many = [flower(i, seed=1) for i in range(4000)]
    for name, (low, high) in RANGES.items():
        values = np.array([getattr(f, name) for f in many])
        assert low <= values.min() and values.max() <= high and np.ptp(values) > 0.8 * (high - low)
    for kind in KINDS:
        of_kind = [f for f in many if f.kind == kind]
        for form, share in FORMS[kind].items():
            assert abs(np.mean([f.form == form for f in of_kind]) - share) < 0.06
        flowers = [f for f in of_kind if f.form != "clock"]
        for hue, share in zip(HUES, HUE_SHARES[kind], strict=True):
            assert abs(np.mean([f.hue == hue for f in flowers]) - share) < 0.07
        counts = [np.mean([f.background == b for f in of_kind]) for b in BACKGROUNDS]
        np.testing.assert_allclose(counts, BACKGROUND_SHARES[kind], atol=0.06)
        assert {min(f.petals for f in of_kind), max(f.petals for f in of_kind)} == set(PETALS[kind])


def test_each_kind_has_a_favourite_background_of_its_own() -> None:
    favourites = {k: BACKGROUNDS[int(np.argmax(s))] for k, s in BACKGROUND_SHARES.items()}
    assert len(set(favourites.values())) == 5
    assert all(0.4 <= max(shares) <= 0.45 for shares in BACKGROUND_SHARES.values())
    assert all(
        sum(s) == pytest.approx(1) for s in (*BACKGROUND_SHARES.values(), *HUE_SHARES.values())
    )


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        ({"hue": "blue"}, "blue"),
        ({"background": "sea"}, "sea"),
        ({"form": "clock"}, "clock"),
        ({"size": 3.0}, "size"),
        ({"tilt_deg": 90.0}, "tilt_deg"),
        ({"x": float("nan")}, "x"),
        ({"petals": 1}, "petals"),
    ],
)
def test_impossible_flowers_are_refused_by_name(change: dict, culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        replace(PLAIN, **change)


# --- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "form"), [(k, f) for k in KINDS for f in FORMS[k]])
def test_every_form_is_drawn_before_every_background(kind: str, form: str) -> None:
    pictures = [
        draw(replace(flower(0), kind=kind, form=form, background=b, companion=True, grass=True))
        for b in BACKGROUNDS
    ]
    assert all(p.shape == (128, 128, 3) and p.dtype == np.uint8 for p in pictures)
    assert len({p.tobytes() for p in pictures}) == len(BACKGROUNDS)


@pytest.mark.parametrize("change", [{"x": 4.0}, {"y": -3.0}, {"size": 1.0}, {"size": 0.05}])
def test_heads_off_the_canvas_and_of_odd_sizes_are_drawn(change: dict) -> None:
    for kind in KINDS:
        for form in FORMS[kind]:
            recipe = replace(PLAIN, kind=kind, form=form, leaves=True, companion=True, **change)
            assert draw(recipe).shape == (128, 128, 3)


def test_drawing_again_gives_the_same_bytes_and_each_picture_is_its_own() -> None:
    pictures = [draw(flower(i)).tobytes() for i in range(40)]
    assert len(set(pictures)) == 40
    assert draw(flower(33)).tobytes() == pictures[33]
    fresh = (
        "from embedlab.data.garden import draw, flower; import hashlib;"
        "print(hashlib.sha256(draw(flower(33)).tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", fresh], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(pictures[33]).hexdigest()


def test_another_background_leaves_the_flower_as_it_was() -> None:
    recipe = replace(PLAIN, kind="rose", hue="red", petals=26)
    first, second = (draw(replace(recipe, background=b)) for b in ("sky", "soil"))
    np.testing.assert_array_equal(head(first, recipe, 0.7), head(second, recipe, 0.7))
    corner = np.abs(first[:20, :20].astype(int) - second[:20, :20])
    assert corner.mean() > 30


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("hue", "low", "high"),
    [("red", -20, 12), ("orange", 12, 38), ("yellow", 38, 62), ("lilac", 245, 290),
     ("pink", 310, 350)],
)  # fmt: skip
def test_hue_is_the_colour_of_the_head(kind: str, hue: str, low: float, high: float) -> None:
    form = {"tulip": "cup"}.get(kind, "flower")
    recipe = replace(PLAIN, kind=kind, form=form, hue=hue, petals=20)
    middle = 0.5 if kind == "tulip" else 0.9  # a cup does not fill its circle
    pixels = head(draw(recipe), recipe, middle)
    if kind in ("daisy", "sunflower"):  # their discs have colours of their own
        inner = {tuple(p) for p in head(draw(recipe), recipe, 0.6)}
        pixels = np.array([p for p in pixels if tuple(p) not in inner])
    hue_deg, saturation, _ = colorsys.rgb_to_hsv(*(np.median(pixels, axis=0) / 255))
    assert saturation > 0.25
    assert low <= (hue_deg * 360 + 30) % 360 - 30 <= high or low <= hue_deg * 360 <= high


@pytest.mark.parametrize("kind", KINDS)
def test_white_heads_are_bright_and_grey(kind: str) -> None:
    form = {"tulip": "cup"}.get(kind, "flower")
    recipe = replace(PLAIN, kind=kind, form=form, petals=20)
    pixels = head(draw(recipe), recipe, 0.6 if kind == "tulip" else 0.9)
    typical = np.median(pixels, axis=0)
    assert typical.min() > 140 and np.ptp(typical) < 40


@pytest.mark.parametrize(("x", "y"), [(0.35, 0.4), (0.6, 0.55), (0.5, 0.3)])
def test_the_head_lies_where_x_and_y_say(x: float, y: float) -> None:
    found = centroid(bright(draw(replace(PLAIN, x=x, y=y))))
    np.testing.assert_allclose(found, (128 * x, 128 * y), atol=2)


def test_twice_the_size_is_four_times_the_area() -> None:
    small, large = (bright(draw(replace(PLAIN, size=s))).sum() for s in (0.2, 0.4))
    assert large / small == pytest.approx(4, rel=0.1)


def test_tilt_squashes_by_its_cosine_and_rotation_turns_the_long_axis() -> None:
    mask = bright(draw(replace(PLAIN, tilt_deg=60.0)))
    height, width = (np.ptp(np.flatnonzero(mask.any(axis=a))) + 1 for a in (1, 0))
    assert height / width == pytest.approx(0.5, abs=0.07)
    mask = bright(draw(replace(PLAIN, tilt_deg=60.0, rotation_deg=25.0)))
    rows, cols = np.nonzero(mask)
    values, vectors = np.linalg.eigh(np.cov(cols, rows))
    along = vectors[:, np.argmax(values)]
    assert np.degrees(np.arctan(along[1] / along[0])) == pytest.approx(25, abs=4)


def test_light_scales_the_picture_and_warmth_moves_red_against_blue() -> None:
    dim, full = (draw(replace(PLAIN, light=v)).mean() for v in (0.7, 1.0))
    assert dim / full == pytest.approx(0.7, abs=0.03)
    cold, warm = (draw(replace(PLAIN, warmth=v)).mean(axis=(0, 1)) for v in (-1.0, 1.0))
    assert warm[0] / cold[0] > 1.1 and warm[2] / cold[2] < 0.9


def test_light_comes_from_its_angle() -> None:
    left, right = (
        draw(replace(PLAIN, kind="tulip", form="cup", light_angle_deg=a)).astype(float)
        for a in (-170.0, -10.0)
    )
    halves = [p[40:90, 30:64].mean() - p[40:90, 64:98].mean() for p in (left, right)]
    assert halves[0] > 5 and halves[1] < -5


def test_blur_background_blur_and_noise_do_what_they_say() -> None:
    def detail(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture.astype(float), axis=1)).mean())

    sharp, blurred = (draw(replace(PLAIN, blur=v))[40:90, 40:90] for v in (0.0, 1.6))
    assert detail(blurred) < 0.7 * detail(sharp)
    wall = replace(PLAIN, background="wall", size=0.05, y=0.9)
    near, far = (draw(replace(wall, background_blur=v))[:60] for v in (0.4, 3.2))
    assert detail(far) < 0.5 * detail(near)
    grey = replace(PLAIN, background="sky")
    grain = draw(replace(grey, noise=5.0)).astype(float) - draw(grey)
    assert grain[5:50, :20].std() == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("name", ["leaves", "companion", "grass"])
def test_leaves_companion_and_grass_can_be_seen(name: str) -> None:
    recipe = replace(PLAIN, hue="red", background="sky")
    changed = np.abs(draw(replace(recipe, **{name: True})).astype(int) - draw(recipe)).max(axis=2)
    assert (changed > 25).mean() > 0.02


def test_openness_lets_a_cup_spread() -> None:
    cup = replace(PLAIN, kind="tulip", form="cup")
    shut, wide = (bright(draw(replace(cup, openness=v))).any(axis=0).sum() for v in (0.0, 1.0))
    assert wide > 1.2 * shut


# --- the drawing tools -----------------------------------------------------------------------


def test_plane_and_spot_are_each_others_way_back() -> None:
    frame = Frame(x=50.3, y=61.9, radius=30, turn=0.4, tilt=0.9, sun=-1.0, side=128)
    sheet = Sheet(10, 20, 100, 120)
    x, y = frame.plane(sheet, lift=0.2)
    for row, col in ((0, 0), (57, 31), (99, 89)):
        found = frame.spot(float(x[row, col]), float(y[row, col]), lift=0.2)
        np.testing.assert_allclose(found, (10 + col + 0.5, 20 + row + 0.5), atol=1e-3)


@pytest.mark.parametrize("n", [3, 8, 13])
def test_a_whorl_has_as_many_petals_as_asked_for(n: int) -> None:
    frame = Frame(x=64, y=64, radius=60, turn=0.3, tilt=0.0, sun=-1.0, side=128)
    sheet = frame.window(1.05)
    rng = np.random.default_rng(n)
    angles = np.arange(n) * 2 * np.pi / n + rng.normal(0, 0.05, n) + 1
    ones = np.ones(n)
    whorl = Whorl(angles, ones * 0.9, ones * 0.5 / n, ones * 0, ones * 0, "strap")
    paint_whorl(sheet, frame, whorl, Look(0.2, 0.8))
    around = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    rows = (64 + 30 * np.sin(around) - sheet.top).astype(int)
    cols = (64 + 30 * np.cos(around) - sheet.left).astype(int)
    covered = sheet.cover[rows, cols] > 0.5
    assert (np.diff(covered.astype(int), append=covered[:1].astype(int)) == 1).sum() == n


def test_paint_keeps_its_colour_at_soft_edges() -> None:
    sheet = Sheet(0, 0, 2, 1)
    cover = np.array([[1.0, 0.25]], np.float32)
    sheet.lay((slice(None), slice(None)), cover, 0.5, np.full((1, 2), 0.8, np.float32))
    np.testing.assert_allclose(sheet.light / sheet.cover, 0.8, rtol=1e-6)
    np.testing.assert_allclose(sheet.pigment / sheet.cover, 0.5, rtol=1e-6)


# --- the table -------------------------------------------------------------------------------


def test_the_table_says_of_each_kind_what_it_should() -> None:
    rows = table(600, seed=2)
    kinds = np.arange(3000) % 5
    for k, kind in enumerate(KINDS):
        mine = rows[kinds == k]
        assert mine.height_cm.median() == pytest.approx(HEIGHT_CM[kind][0], rel=0.08)
        scents = mine.scent.value_counts(normalize=True)
        for scent, share in SCENT[kind].items():
            assert abs(scents.get(scent, 0) - share) < 0.07
    for column in rows:
        assert rows[column].isna().mean() == pytest.approx(MISSING.get(column, 0), abs=0.02)
    assert rows.month.between(1, 12).all() and rows.month.dtype == np.int64


def test_the_table_is_independent_of_the_picture_given_the_kind() -> None:
    rows, kinds = table(600, seed=2), np.arange(3000) % 5
    sizes = np.array([flower(i, seed=2).size for i in range(3000)])
    heights = np.log(rows.height_cm.to_numpy())
    for k in range(5):
        mine = (kinds == k) & ~np.isnan(heights)
        assert abs(np.corrcoef(sizes[mine], heights[mine])[0, 1]) < 0.13


def test_a_smaller_table_is_the_beginning_of_a_larger() -> None:
    assert table(3).equals(table(5).head(15))
    assert not table(3).equals(table(3, seed=1))


# --- the dataset -----------------------------------------------------------------------------


def test_the_dataset_holds_pictures_factors_and_table() -> None:
    seen: list[tuple[int, int]] = []
    grown = garden(n_each=3, seed=4, progress=lambda stage, done, total: seen.append((done, total)))
    assert len(grown) == 15 and grown.classes == KINDS and grown.name == "garden"
    assert grown.ids[:2] == ("daisy/0000", "dandelion/0000") and grown.ids[-1] == "tulip/0002"
    assert [grown.classes[k] for k in grown.labels] == [i.split("/")[0] for i in grown.ids]
    assert tuple(grown.factors.columns) == FACTORS and not grown.factors.isna().any().any()
    assert list(grown.table.columns) == ["height_cm", "month", "scent", "site", "soil"]
    assert grown.origin == {"source": "garden", "n_each": 3, "seed": 4}
    assert "drawn" in grown.notes[0]
    assert isinstance(grown.pictures, Pictures) and grown.pictures.path(0) is None
    np.testing.assert_array_equal(np.asarray(grown.pictures.open(7)), draw(flower(7, seed=4)))
    np.testing.assert_array_equal(grown.pictures.array[7], draw(flower(7, seed=4)))
    assert not grown.pictures.array.flags.writeable
    assert grown.factors.hue[7] == flower(7, seed=4).hue
    assert seen[-1] == (15, 15) and seen == sorted(seen)
    larger = garden(n_each=4, seed=4)
    assert larger.take(range(15)).fingerprint == grown.fingerprint
    assert garden(n_each=3, seed=5).fingerprint != grown.fingerprint
    with pytest.raises(ValueError, match="n_each"):
        garden(n_each=0)


def test_helpers_draw_the_same_as_one_process(tmp_path: Path, monkeypatch) -> None:
    build.draw_file(tmp_path / "alone.npy", 10, seed=1, processes=1)
    mine: list[int] = []
    paint = store.paint_row

    def note(rows: np.ndarray, index: int, *, seed: int) -> None:
        mine.append(index)
        paint(rows, index, seed=seed)

    monkeypatch.setattr(store, "paint_row", note)
    build.draw_file(tmp_path / "helped.npy", 10, seed=1, processes=2)
    assert mine == [0, 2, 4, 6, 8]
    assert (tmp_path / "helped.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()


@pytest.mark.parametrize("trouble", ["fails", "cannot start"])
def test_what_a_helper_leaves_undone_is_done_here(
    trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.draw_file(tmp_path / "alone.npy", 6, seed=1, processes=1)

    def helper(*_: object) -> subprocess.Popen[bytes]:
        if trouble == "cannot start":
            raise BlockingIOError("Resource temporarily unavailable")
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    monkeypatch.setattr(build, "_helper", helper)
    build.draw_file(tmp_path / "forsaken.npy", 6, seed=1, processes=3)
    assert (tmp_path / "forsaken.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()


def test_helpers_end_when_the_work_is_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = build._helper

    def note(path: Path, seed: int, share: int, shares: int) -> subprocess.Popen[bytes]:
        started.append(start(path, seed, share, shares))
        return started[-1]

    def cancel(stage: str, done: int, total: int, **facts: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_helper", note)
    with pytest.raises(KeyboardInterrupt):
        build.draw_file(tmp_path / "x.npy", 4000, seed=1, processes=2, progress=cancel)
    assert [helper.poll() is not None for helper in started] == [True]


def test_a_worker_draws_its_share_only(tmp_path: Path) -> None:
    rows = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=store.ROW, shape=(5,))
    worker.main(str(tmp_path / "x.npy"), 0, 1, 3)
    assert store.done(rows).tolist() == [False, True, False, False, True]


def test_a_second_call_draws_nothing(monkeypatch) -> None:
    first = garden(n_each=2)
    monkeypatch.setattr(store, "draw", lambda *_: pytest.fail("drawn again"))
    second = garden(n_each=2)
    assert second.fingerprint == first.fingerprint
    assert second.pictures.open(3).tobytes() == first.pictures.open(3).tobytes()


@pytest.mark.parametrize("harm", ["truncated", "empty", "garbage", "unfinished"])
def test_a_damaged_file_is_drawn_again(harm: str) -> None:
    first = garden(n_each=2)
    (path,) = home("cache", "garden").glob("*.npy")
    content = path.read_bytes()
    path.unlink()
    if harm == "unfinished":
        np.save(path, np.zeros(10, store.ROW))
    else:
        path.write_bytes({"truncated": content[:-1000], "empty": b""}.get(harm, b"x" * 5000))
    assert garden(n_each=2).fingerprint == first.fingerprint
    assert path.read_bytes() == content


def test_a_picture_with_a_flipped_bit_is_drawn_again() -> None:
    good = garden(n_each=2).pictures.open(4).tobytes()
    (path,) = home("cache", "garden").glob("*.npy")
    content = bytearray(path.read_bytes())
    content[-5 * store.ROW.itemsize - 100] ^= 1  # in picture 4 of 10
    path.unlink()
    path.write_bytes(content)
    again = garden(n_each=2)
    assert again.pictures.array[4].tobytes() != good
    assert again.pictures.open(4).tobytes() == good


def test_older_drawings_are_tidied_away() -> None:
    old = home("cache", "garden") / "0123456789abcdef-0-10.npy"
    busy = home("cache", "garden") / ".partial-1-x.npy"
    old.touch()
    busy.touch()
    garden(n_each=1)
    garden(n_each=2)
    left = sorted(p.name for p in home("cache", "garden").iterdir())
    assert old.name not in left and busy.name in left and len(left) == 3


def test_a_disk_that_takes_nothing_is_no_hindrance(monkeypatch) -> None:
    def full(_: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(build, "new_file", full)
    grown = garden(n_each=1)
    assert grown.pictures.open(2).tobytes() == draw(flower(2)).tobytes()


def test_helpers_start_without_pandas() -> None:
    code = "import embedlab.data.garden.worker, sys; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
