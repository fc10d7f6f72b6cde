"""What tools and clocks do to a recording, and what the reader makes of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.data.series.dialects import motion
from tinyml_cli.data.series.read import Series, read_series
from tinyml_cli.data.series.sources import sources
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe, UnitsRecipe
from tinyml_cli.tasks.wand.takes import Takes, read_takes

N = 200
T = np.arange(N) / 100
V = motion(T)
FORCE, RATE = V[:, :3], V[:, 3:]
BOARD = np.rint(V * ([1000.0] * 3 + [10.0] * 3))
COURSE = ("aX", "aY", "aZ", "gX", "gY", "gZ")
NAMES = ("accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ")
G = 9.80665


def table(names: Sequence[str], rows: Iterable[Iterable[object]], delimiter: str = ",") -> str:
    cells = [[each if isinstance(each, str) else f"{each:.9g}" for each in row] for row in rows]
    return "\n".join(delimiter.join(row) for row in [list(names)] * bool(names) + cells) + "\n"


def takes(path: Path, text: str, **units: object) -> Takes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_takes(path, 119, 119, SeriesRecipe(units=UnitsRecipe(**units)))  # type: ignore[arg-type]


def series(path: Path, text: str, options: SeriesRecipe | None = None) -> Series:
    path.write_text(text, encoding="utf-8")
    (only,) = read_series(sources([path])[0], options or SeriesRecipe())
    return only


def assert_same(recorded: Takes, columns: int = 6, slack: int = 2) -> None:
    np.testing.assert_allclose(
        np.concatenate([take.samples for take in recorded.takes])[:, :columns], BOARD[:, :columns], atol=slack
    )


@pytest.mark.parametrize(
    ("name", "ticks", "says"),
    [
        ("time_s", T, "time in s"),
        ("timestamp_us", T * 1e6, "time in us"),
        ("time", T * 1e9, "time in ns"),
        ("timestamp", 1_700_000_000_000 + T * 1000, "time in ms"),
        ("micros", (2**32 - 700_000 + T * 1e6) % 2**32, "1 clock wrap undone"),
        ("t_ms", (65_000 + T * 1000) % 2**16, "1 clock wrap undone"),
        ("t_ms", (np.arange(N) // 2) * 20, "bursts spread"),
        ("t_ms", (np.arange(N) // 5) * 50 + np.arange(N) % 5, "bursts spread"),
        ("t_ms", (T + 5 * (T > 1)) * 1000, "1 gap (split there)"),
        ("t_ms", np.r_[T[:100], T[:100]] * 1000, "1 clock restart"),
    ],
)  # fmt: skip
def test_clocks(tmp_path: Path, name: str, ticks: np.ndarray, says: str) -> None:
    rows = [[f"{tick:.3f}".rstrip("0").rstrip("."), *row] for tick, row in zip(ticks, V, strict=True)]
    recorded = takes(tmp_path / "wave.csv", table((name, *COURSE), rows))
    assert recorded.rate_hz == pytest.approx(100, rel=1e-3) and says in recorded.reading
    assert_same(recorded)


def test_jitter_is_resampled_by_the_time_of_each_sample(tmp_path: Path) -> None:
    uneven = np.cumsum([0.0, *[0.014, 0.006] * 99, 0.014])
    recorded = takes(tmp_path / "wave.csv", table(("t_ms", *COURSE), np.c_[uneven * 1000, motion(uneven)]))
    assert recorded.rate_hz == pytest.approx(100, rel=0.003) and "resampled" in recorded.reading
    even = motion(np.arange(len(recorded.takes[0].samples)) / recorded.rate_hz)
    np.testing.assert_allclose(recorded.takes[0].samples[:, 0], even[:, 0] * 1000, atol=12)


def test_a_lost_sample_is_filled_in(tmp_path: Path) -> None:
    rows = np.delete(np.c_[T * 1000, V], [40, 90], axis=0)
    assert_same(takes(tmp_path / "wave.csv", table(("t_ms", *COURSE), rows)), slack=30)


def test_repeated_rows_are_dropped(tmp_path: Path) -> None:
    recorded = takes(tmp_path / "w.csv", table(("t_ms", *COURSE), np.repeat(np.c_[T * 1000, V], 2, axis=0)))
    assert "200 repeated rows dropped" in recorded.reading
    assert_same(recorded)


def test_dates(tmp_path: Path) -> None:
    rows = [[f"2024-01-31T23:59:{59 + i // 100:02d}.{i % 100 * 10:03d}"[:23], *V[i]] for i in range(100)]
    recorded = takes(tmp_path / "wave.csv", table(("time", *COURSE), rows))
    assert "time in ISO 8601" in recorded.reading and recorded.rate_hz == pytest.approx(100)
    coarse = [[f"2024-01-31 10:00:{i // 25:02d}", *V[i]] for i in range(N)]
    assert_same(takes(tmp_path / "coarse.csv", table(("datetime", *COURSE), coarse)))


@pytest.mark.parametrize(("form", "says"), [("{0}.{1}.{2} ", "DD.MM.YYYY"), ("{2}-{1}-{0}T", "ISO 8601")])
def test_dates_of_day_month_and_year_say_the_same(tmp_path: Path, form: str, says: str) -> None:
    days = [
        form.format(f"{28 + i // 100:02d}" if i < 100 else "01", "02" if i < 100 else "03", 2026)
        for i in range(N)
    ]
    clock = [
        f"23:59:59,{i * 10:03d}" if i < 100 else f"00:00:{(i - 100) // 100:02d},{i % 100 * 10:03d}"
        for i in range(N)
    ]
    rows = [
        ";".join([day + hour, *(f"{v:.6f}".replace(".", ",") for v in V[i])])
        for i, (day, hour) in enumerate(zip(days, clock, strict=True))
    ]
    recorded = takes(tmp_path / "wave.csv", "\n".join([";".join(("Zeit", *COURSE)), *rows]) + "\n")
    assert f"time in {says}" in recorded.reading and recorded.rate_hz == pytest.approx(100)
    assert_same(recorded)


def test_a_day_that_may_be_a_month_is_no_time(tmp_path: Path) -> None:
    rows = "".join(f"3/1/2026 09:00:0{i},{i}.5\n" for i in range(9))
    with pytest.raises(TinymlError, match="`3/1/2026 09:00:00` in column `time`"):
        series(tmp_path / "pump.csv", f"time,x\n{rows}")
    told = series(tmp_path / "pump.csv", f"time,x\n{rows}", SeriesRecipe(rate_hz=1))
    assert told.rate_hz == 1 and told.reading.remarks == ["text in time skipped"]


@pytest.mark.parametrize(
    ("names", "values", "option", "says"),
    [
        (NAMES, np.c_[FORCE * G, np.radians(RATE)], "gyro", "rad/s"),
        (NAMES, np.c_[np.rint(FORCE * 16384), RATE * 131], "accel", "accX, accY, accZ"),
        (NAMES, np.c_[FORCE, RATE * 131], "gyro", "gyrX"),
        (NAMES[:3], FORCE * 1e-3, "accel", "gravity does not"),
        (("accX (m/s2)", "accY (m/s2)", "accZ (m/s2)"), np.tile([0, 0, 1.0], (N, 1)), "accel", "m/s2"),
        ([f"Linear Acceleration {a}" for a in "xyz"], FORCE - [0, 0, 1], "accel", "unit"),
    ],
)  # fmt: skip
def test_two_readings_are_refused_with_the_option_that_settles_them(
    tmp_path: Path, names: tuple[str, ...], values: np.ndarray, option: str, says: str
) -> None:
    with pytest.raises(TinymlError, match=says) as refusal:
        takes(tmp_path / "wave.csv", table(("t_ms", *names), np.c_[T * 1000, values]))
    assert f"--set data.units.{option}=" in refusal.value.next_step and "wave.csv" in refusal.value.where


def test_options_settle_what_was_refused(tmp_path: Path) -> None:
    rads = table(("t_ms", *NAMES), np.c_[T * 1000, FORCE * G, np.radians(RATE)])
    assert_same(takes(tmp_path / "a.csv", rads, gyro="rad/s"))
    raw = table(("t_ms", *COURSE), np.c_[T * 1000, np.rint(FORCE * 16384), np.rint(RATE * 131)])
    assert_same(takes(tmp_path / "b.csv", raw, accel=16384, gyro=131))
    steps = table(("time", *COURSE), np.c_[np.arange(N), V])
    with pytest.raises(TinymlError, match=r"1 Hz in s, 1000 Hz in ms") as refusal:
        takes(tmp_path / "c.csv", steps)
    assert "data.units.time" in refusal.value.next_step
    assert takes(tmp_path / "c.csv", steps, time="ms").rate_hz == 1000
    with pytest.raises(TinymlError, match="furlong"):
        takes(tmp_path / "a.csv", rads, gyro="furlong")


def test_units_are_told_by_all_files_of_a_folder(tmp_path: Path) -> None:
    still = np.tile([0.1, 0.2, 0.95, 0.5, -0.4, 0.3], (N, 1))
    for name, values in (("still.1", still), ("wave.1", V)):
        (tmp_path / f"{name}.csv").write_text(table(("t_ms", *NAMES), np.c_[T * 1000, values]))
    recorded = read_takes(tmp_path, 119, 119)
    assert recorded.takes[0].samples[0].tolist() == [100, 200, 950, 5, -4, 3]
    with pytest.raises(TinymlError, match="deg/s or rad/s"):
        read_takes(tmp_path / "still.1.csv", 119, 119)
    assumed = read_takes(tmp_path / "still.1.csv", 119, 119, assumed=recorded.units)
    np.testing.assert_array_equal(assumed.takes[0].samples, recorded.takes[0].samples)
    assert "taken from the training data" in assumed.reading


@pytest.mark.parametrize("scale", [3000.0, 2048.0, 9.80665])
def test_units_of_other_files_are_not_assumed_where_gravity_contradicts_them(
    tmp_path: Path, scale: float
) -> None:
    values = np.rint(V * [scale, scale, scale, 1, 1, 1])
    (tmp_path / "a.csv").write_text(table(("t_ms", *NAMES), np.c_[T * 1000, values]))
    for unit in ("g", "mg", "m/s2"):
        if not 0.6 < scale * {"g": 1, "mg": 0.001, "m/s2": 1 / 9.80665}[unit] < 1.7:
            with pytest.raises(TinymlError, match="unit of acceleration"):
                read_takes(tmp_path, 119, 119, assumed={"accel": unit, "gyro": "deg/s"})


def test_rotation_that_no_gyroscope_measures_is_not_assumed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(("t_ms", *NAMES), np.c_[T * 1000, V * [1, 1, 1, 1e4, 1e4, 1e4]]))
    with pytest.raises(TinymlError, match="Rotation"):
        read_takes(tmp_path, 119, 119, assumed={"accel": "g", "gyro": "deg/s"})


@pytest.mark.parametrize(("name", "unit"), [("t_ms", "s"), ("time (us)", "ms"), ("t_ns", "us")])
def test_a_unit_of_time_by_which_no_sensor_is_so_fast_is_refused(
    tmp_path: Path, name: str, unit: str
) -> None:
    ticks = T * {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    text = table((name, *NAMES), np.c_[ticks, V])
    with pytest.raises(TinymlError, match=f"gives the time in .*100,000 times.*data.units.time={unit}"):
        takes(tmp_path / "a.csv", text, gyro="deg/s")
    assert takes(tmp_path / "a.csv", text, gyro="deg/s", time=unit).rate_hz == 100


def test_files_without_a_header(tmp_path: Path) -> None:
    assert_same(takes(tmp_path / "a.csv", table((), V, "\t")))
    assert_same(takes(tmp_path / "b.csv", table((), np.c_[T * 1000, V])))
    rows = table((), np.c_[T, FORCE[:, 0]])
    with pytest.raises(TinymlError, match="no header") as refusal:
        series(tmp_path / "c.csv", rows)
    assert "data.columns" in refusal.value.next_step
    named = series(tmp_path / "c.csv", rows, SeriesRecipe(columns=["time_s", "current"]))
    assert named.channels == ("current",) and named.rate_hz == pytest.approx(100)


def test_marks_between_takes(tmp_path: Path) -> None:
    part = table((), FORCE * 1000)
    recorded = takes(tmp_path / "wing.txt", f"-,-,-\n{part}-,-,-\n{part}\n{part}")
    assert [len(take.samples) for take in recorded.takes] == [N] * 3
    np.testing.assert_allclose(recorded.takes[1].samples[:, :3], BOARD[:, :3], atol=1)


def test_the_plotter_and_the_monitor_of_sketches(tmp_path: Path) -> None:
    plotted = "".join(",".join(f"{n}:{x:.4f}" for n, x in zip(COURSE, row, strict=True)) + "\n" for row in V)
    assert_same(takes(tmp_path / "a.csv", plotted))
    watched = "".join(
        f"12:00:00.{i % 1000:03d} -> " + ",".join(f"{x:.4f}" for x in V[i]) + "\n" for i in range(N)
    )
    assert_same(takes(tmp_path / "b.csv", watched))


def _phone(values: np.ndarray, unit: str) -> str:
    return table(("Time (s)", f"X ({unit})", f"Y ({unit})", f"Z ({unit})"), np.c_[T, values])


def test_a_file_for_each_sensor(tmp_path: Path) -> None:
    folder = tmp_path / "wave" / "first"
    (folder / "meta").mkdir(parents=True)
    (folder / "Accelerometer.csv").write_text(_phone(FORCE * G, "m/s^2"))
    (folder / "Gyroscope.csv").write_text(_phone(np.radians(RATE), "rad/s"))
    (folder / "Magnetometer.csv").write_text(_phone(FORCE, "µT"), encoding="utf-8")
    (folder / "meta" / "time.csv").write_text("event,experiment time\nSTART,0\nPAUSE,3\n")
    recorded = read_takes(tmp_path, 119, 119)
    assert_same(recorded)
    assert [(take.label, take.name) for take in recorded.takes] == [("wave", "wave/first")]
    assert {each.path.name for each in recorded.left_out} == {"Magnetometer.csv", "time.csv"}


def test_an_archive_of_sensor_logger(tmp_path: Path) -> None:
    def member(values: np.ndarray) -> str:
        rows = [[str(1_700_000_000_000_000_000 + i * 10_000_000), T[i], *values[i, ::-1]] for i in range(N)]
        return table(("time", "seconds_elapsed", "z", "y", "x"), rows)

    (tmp_path / "wave").mkdir()
    with zipfile.ZipFile(tmp_path / "wave" / "2024.zip", "w") as archive:
        archive.writestr("Accelerometer.csv", member((FORCE - [0, 0, 1]) * G))
        archive.writestr("TotalAcceleration.csv", member(FORCE * G))
        archive.writestr("Gyroscope.csv", member(np.radians(RATE)))
        archive.writestr("Metadata.csv", "version,device\n1,x\n")
    recorded = read_takes(tmp_path, 119, 119)
    assert_same(recorded)
    assert recorded.takes[0].label == "wave"
    (tmp_path / "wave" / "2025.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(TinymlError, match="archive"):
        read_takes(tmp_path, 119, 119)


def test_other_columns_stay_and_rows_are_not_numbers(tmp_path: Path) -> None:
    rows = [[i, T[i], 20 + i / 100, *FORCE[i], "on"] for i in range(N)]
    found = series(tmp_path / "a.csv", table(("index", "time", "temperature", *NAMES[:3], "label"), rows))
    assert found.channels == ("temperature", *NAMES[:3]) and not found.is_only_motion
    assert {stretch.condition for stretch in found.stretches} == {"on"}
    np.testing.assert_allclose(found.stretches[0].values[:, 1:], FORCE, atol=1e-6)


def test_units_say_what_a_column_is_in_any_language(tmp_path: Path) -> None:
    names = (
        "Zeit (s)",
        *(f"Beschleunigung {a} (m/s²)" for a in "xyz"),
        *(f"Drehrate {a} (rad/s)" for a in "xyz"),
    )
    text = table(names, np.c_[T, FORCE * G, np.radians(RATE)], ";").replace(".", ",")
    (tmp_path / "wave.csv").write_bytes(text.encode("cp1252"))
    recorded = read_takes(tmp_path / "wave.csv", 119, 119)
    assert recorded.rate_hz == pytest.approx(100)
    assert_same(recorded)


def test_a_comma_for_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="Commas both separate") as refusal:
        series(tmp_path / "a.csv", "t,x\n0,5,1,25\n0,6,1,35\n")
    assert "semicolons" in refusal.value.next_step
    assert series(tmp_path / "b.csv", 't,x\n"0,5","1,25"\n"0,6","1,5"\n').stretches[0].values.tolist() == [
        [1.25],
        [1.5],
    ]


def test_the_memory_that_a_file_needs_decides_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_MAX_DECODE_MB", "1")
    with pytest.raises(TinymlError, match="too large"):
        series(tmp_path / "a.csv", "t,x\n" + "".join(f"{i},1\n" for i in range(40_000)))


@pytest.mark.parametrize("counts", [21.33, 256, 512, 1000, 1024, 1366, 5461])
def test_whole_numbers_that_are_mg_or_counts_are_refused(tmp_path: Path, counts: float) -> None:
    text = table(("t_ms", *NAMES[:3]), np.c_[T * 1000, np.rint(FORCE * counts)])
    with pytest.raises(TinymlError) as refusal:
        takes(tmp_path / "wave.csv", text)
    assert "data.units.accel" in refusal.value.next_step
    assert_same(takes(tmp_path / "wave.csv", text, accel=counts), 3, int(1000 / counts) + 1)


@pytest.mark.parametrize(("per_dps", "share"), [(131, 0.1), (16.4, 1), (1000, 0.01), (10, 1)])
def test_rotation_that_gravity_does_not_follow_is_refused(
    tmp_path: Path, per_dps: float, share: float
) -> None:
    values = np.c_[T * 1000, FORCE, np.rint(RATE * share * per_dps)]
    with pytest.raises(TinymlError) as refusal:
        takes(tmp_path / "wave.csv", table(("t_ms", *NAMES), values))
    assert "data.units.gyro" in refusal.value.next_step


@pytest.mark.parametrize(
    ("names", "scales", "option"),
    [
        ("acc? (g)", G, "accel"),
        ("acc? (g)", 1000, "accel"),
        ("acc? (m/s2)", 1, "accel"),
        ("acc? (furlong)", 1, "accel"),
        ("gyr? (rad/s)", 1, "gyro"),
        ("gyr? (deg/s)", 131, "gyro"),
    ],
)
def test_declared_units_that_cannot_be_are_refused(
    tmp_path: Path, names: str, scales: float, option: str
) -> None:
    gyro = names.startswith("gyr")
    head = [names.replace("?", axis) for axis in "XYZ"]
    rows = np.c_[T * 1000, FORCE, RATE * scales] if gyro else np.c_[T * 1000, FORCE * scales]
    with pytest.raises(TinymlError) as refusal:
        takes(tmp_path / "wave.csv", table(("t_ms", *(NAMES[:3] if gyro else ()), *head), rows))
    assert f"data.units.{option}" in refusal.value.next_step


@pytest.mark.parametrize(
    "names",
    [
        "Zeit|Beschleunigung|Winkelgeschwindigkeit", "Temps|Accélération|Vitesse angulaire",
        "Tiempo|Acelerómetro|Giroscopio", "时间|加速度|角速度", "Время|Ускорение|Угловая скорость",
        "zzz|acc|gyro",
    ],
)  # fmt: skip
@pytest.mark.parametrize("rotation_first", [False, True])
def test_names_in_other_languages(tmp_path: Path, names: str, rotation_first: bool) -> None:
    time, felt, turned = names.split("|")
    sensors = [([f"{felt} {a}" for a in "XYZ"], FORCE), ([f"{turned} {a}" for a in "XYZ"], RATE)]
    (first, one), (second, other) = reversed(sensors) if rotation_first else sensors
    recorded = takes(tmp_path / "wave.csv", table((time, *first, *second), np.c_[T * 1000, one, other]))
    assert recorded.rate_hz == pytest.approx(100)
    assert_same(recorded)


@pytest.mark.parametrize(
    "moment", ["29.11.2026 10:00:{}", "2026-11-29 10:00:{} PM", "2026-11-29T10:00:{}+05:30"]
)
def test_dates_of_spreadsheets(tmp_path: Path, moment: str) -> None:
    rows = [[moment.format(f"{t:06.3f}"), *V[i]] for i, t in enumerate(T)]
    assert takes(tmp_path / "wave.csv", table(("when", *COURSE), rows)).rate_hz == pytest.approx(100)


def test_summer_time_ends_without_a_gap(tmp_path: Path) -> None:
    moments = ["2024-11-03T01:59:59.{:03d}-04:00", "2024-11-03T01:00:00.{:03d}-05:00"]
    rows = [[moments[i // 100].format(i % 100 * 10), *V[i]] for i in range(N)]
    assert_same(takes(tmp_path / "wave.csv", table(("time", *COURSE), rows)))


@pytest.mark.parametrize("cell", ["Nov 29 2026 10:00:00.{:03d}", "{:02d}:00.5", "yesterday {}"])
def test_a_time_that_is_not_understood_is_refused(tmp_path: Path, cell: str) -> None:
    rows = [[cell.format(i), *V[i]] for i in range(N)]
    with pytest.raises(TinymlError, match="time"):
        takes(tmp_path / "wave.csv", table(("time", *COURSE), rows))


def test_times_that_tell_no_rate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="so the rate is unknown"):
        takes(tmp_path / "wave.csv", table(("time_s", *COURSE), np.c_[np.rint(T), V]))


def _parted(value: float, thousands: str, decimal: str, digits: int) -> str:
    return f"{value:,.{digits}f}".translate({ord(","): thousands, ord("."): decimal})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("thousands", "decimal"), [(".", ","), (",", "."), ("'", "."), ("\u202f", ","), ("\xa0", ",")]
)
def test_parted_thousands(tmp_path: Path, delimiter: str, thousands: str, decimal: str) -> None:
    names = ("t_ms", *(f"a{a}_mg" for a in "xyz"), *(f"g{a}_dps" for a in "xyz"))
    cells = np.c_[T * 1000, FORCE * 1000, RATE].tolist()
    rows = [[f'"{_parted(x, thousands, decimal, 2)}"' for x in row] for row in cells]
    assert_same(takes(tmp_path / "wave.csv", table(names, rows, delimiter)))


@pytest.mark.parametrize(("thousands", "option"), [(".", "comma"), (",", "dot")])
def test_thousands_that_may_be_decimals_are_refused(tmp_path: Path, thousands: str, option: str) -> None:
    rows = [
        [f"{t * 1000:.0f}", *(_parted(x, thousands, "?", 0) for x in f)]
        for t, f in zip(T, FORCE * 16384, strict=True)
    ]
    path = tmp_path / "wave.csv"
    with pytest.raises(TinymlError, match="thousands") as refusal:
        takes(path, table(("t_ms", *NAMES[:3]), rows, ";"))
    assert f"data.decimal={option}" in refusal.value.next_step
    options = SeriesRecipe.model_validate({"decimal": option, "units": {"accel": 16384}})
    assert_same(read_takes(path, 119, 119, options), 3)


def test_rows_of_several_sensors_are_refused(tmp_path: Path) -> None:
    boards = [
        [name, T[i] * 1000, *(FORCE[i] * sign)] for i in range(N) for name, sign in (("A", 1), ("B", -1))
    ]
    for names in (("A", "B"), ("1", "2")):
        rows = [[names[row[0] == "B"], *row[1:]] for row in boards]
        with pytest.raises(TinymlError, match="several sensors"):
            takes(tmp_path / "wave.csv", table(("device", "t_ms", "ax", "ay", "az"), rows))
    wrists = table(
        ("t_ms", *(f"{w}_acc_{a}" for w in ("left", "right") for a in "xyz")), np.c_[T * 1000, FORCE, -FORCE]
    )
    with pytest.raises(TinymlError, match="several accelerometers") as refusal:
        takes(tmp_path / "wave.csv", wrists)
    assert "data.columns" in refusal.value.next_step
    options = SeriesRecipe(columns=["t_ms", "u", "v", "w", "ax", "ay", "az"])
    assert read_takes(tmp_path / "wave.csv", 119, 119, options).takes[0].samples[0, 2] == -BOARD[0, 2]


def test_empty_cells_of_a_sensor_are_refused(tmp_path: Path) -> None:
    rows = [[T[i] * 1000, *FORCE[i], *(RATE[i] if i % 3 == 0 else [""] * 3)] for i in range(N)]
    with pytest.raises(TinymlError, match="gX"):
        takes(tmp_path / "wave.csv", table(("t_ms", *COURSE), rows))


@pytest.mark.parametrize("name", ["Acceleration without g", "Beschleunigung ohne g", "linacc", "acc_nograv"])
def test_acceleration_with_gravity_is_taken_rather_than_without(tmp_path: Path, name: str) -> None:
    names = [f"{each} {axis} (m/s2)" for each in (name, "Acceleration") for axis in "xyz"]
    rows = np.c_[T * 1000, (FORCE - [0, 0, 1]) * G, FORCE * G]
    assert_same(takes(tmp_path / "wave.csv", table(("t_ms", *names), rows)), 3)


@pytest.mark.parametrize("scale", [G, 1000, 16384])
def test_a_file_in_another_unit_than_the_rest_is_refused(tmp_path: Path, scale: float) -> None:
    for number in range(3):
        values = (
            np.rint(FORCE * scale) if scale > 1000 and number == 1 else FORCE * (scale if number == 1 else 1)
        )
        (tmp_path / f"wave.{number}.csv").write_text(table(("t_ms", *NAMES[:3]), np.c_[T * 1000, values]))
    with pytest.raises(TinymlError, match="in the other files") as refusal:
        read_takes(tmp_path, 119, 119)
    assert "wave.1.csv" in refusal.value.where


def test_rotation_by_arduino_s_library_is_brought_to_the_data_sheet_s_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "wave.csv"
    path.write_text(table(COURSE, np.hstack([FORCE, RATE * 2000 / 32768 / 0.070])), encoding="utf-8")
    found = sources([path])[0]
    plain = read_series(found, SeriesRecipe(rate_hz=100))[0]
    asked = SeriesRecipe(rate_hz=100, units=UnitsRecipe(gyro="arduino-lsm9ds1"))
    meant = read_series(found, asked)[0]
    assert "data.units.gyro=arduino-lsm9ds1" in str(plain.reading) and "12.8 %" not in str(meant.reading)
    for series, factor in ((plain, 0.872), (meant, 1.0)):
        columns = [series.axes["rotation", axis] for axis in "xyz"]
        values = np.concatenate([stretch.values for stretch in series.stretches])[:, columns]
        assert np.allclose(values, RATE * factor, rtol=1e-3)
    assert meant.units["gyro"] == "arduino-lsm9ds1"  # as a replay against this run will read
